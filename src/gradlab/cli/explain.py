"""`gradlab explain`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import JSON, Flag, parse, word
from gradlab.cli.network import FLAGS as OF_A_NETWORK
from gradlab.errors import UsageError, unknown

FLAGS = [
    Flag(
        name="target",
        help="an example, FILE.py:NAME (the file is run), a network or a run's folder; without it: the list",
        convert=word,
        default="",
        shown="WHAT",
    ),
    *OF_A_NETWORK,
    Flag(name="--image", help="the picture that a run's network looks at", convert=word, shown="FILE"),
    Flag(name="--arm", help="whose network [the arm that validates best]", convert=word, shown="ARM"),
    Flag(name="--class", help="the class that is asked about [the one the network names]", convert=word, shown="NAME"),
    Flag(name="--invert", help="swaps dark and bright in the picture"),
    Flag(name="--jacobian", help="the Jacobians of small steps, and the proof that what is sent is v^T J"),
    Flag(name="--out", help="writes report.html, report.pdf and figures (SVG, PNG) here", convert=word, shown="FOLDER"),
    JSON,
]


def main(words: Sequence[str]) -> int:
    """Tells step by step what autograd does, what a network is, or what a trained one makes of a picture."""
    options = parse("explain", "What a computation, a network or a trained network does.", FLAGS, words)
    target = options["target"]
    if not target:
        return _listed(options)
    if target.isidentifier() and not Path(target).is_dir() and target[0].isupper():
        from gradlab.cli.explain_model import explained_model

        text, document, page = explained_model(target, options["input"], options["classes"], options["with"])
        return shown(text, document if options["json"] else None, page if options["out"] else None, options)
    if Path(target).is_dir():
        from gradlab.cli.explain_run import explained_run, need_image

        image = need_image(options["image"])
        text, document, page = explained_run(
            target, image, arm=options["arm"], label=options["class"], invert=bool(options["invert"])
        )
        return shown(text, document if options["json"] else None, page if options["out"] else None, options)
    return _computation(target, options)


def _listed(options: dict[str, Any]) -> int:
    from gradlab.explain import EXAMPLES

    if options["json"]:
        told = [{"name": name, "told": entry.told, "source": entry.source} for name, entry in EXAMPLES.items()]
        print(json.dumps({"examples": told}, indent=2))
        return 0
    width = max(map(len, EXAMPLES))
    for name, entry in EXAMPLES.items():
        print(f"{name.ljust(width)}  {entry.told}" + (f" ({entry.source})" if entry.source else ""))
    print(
        "\ngradlab explain FILE.py:NAME runs your own file and explains its variable NAME."
        "\ngradlab explain LeNet tells how a network of `gradlab summary` is built, its sizes and what it sees."
        "\ngradlab explain RUN --image FILE shows what a run's trained network makes of a picture."
    )
    return 0


def _computation(target: str, options: dict[str, Any]) -> int:
    from gradlab.explain import EXAMPLES, explain_example

    if target in EXAMPLES:
        explanation, title = explain_example(target, jacobian=options["jacobian"]), EXAMPLES[target].told
    elif ".py" in target or ":" in target:
        from gradlab.cli.explain_file import explain_file

        explanation, title = explain_file(target, jacobian=options["jacobian"]), target
    else:
        from gradlab import models

        raise unknown("example or network", target, [*EXAMPLES, *models.__all__], where="gradlab explain")
    from gradlab.cli.explain_graph import graph_document, graph_page

    page = graph_page(explanation, title) if options["out"] else None
    document = graph_document(explanation) if options["json"] else None
    return shown(str(explanation), document, page, options)


def shown(text: str, document: dict[str, Any] | None, page: Any, options: dict[str, Any]) -> int:
    """Prints the text, or the document where there is one; writes the page where a folder is named."""
    if page is not None:
        from gradlab.report import write_report

        folder = Path(options["out"])
        if folder.is_file():
            raise UsageError(f"--out {folder} is a file: name a folder")
        paths = write_report([page], folder)
        if document is None:
            text = f"{text}\n\n{paths.html}\n{paths.pdf}"
        else:
            document = {**document, "html": str(paths.html), "pdf": str(paths.pdf)}
    print(text if document is None else json.dumps(document, indent=2))
    return 0
