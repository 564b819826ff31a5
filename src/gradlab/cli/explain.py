"""`gradlab explain`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import JSON, Flag, parse, word
from gradlab.errors import UsageError, unknown

FLAGS = [
    Flag(
        name="target",
        help="an example, FILE.py:NAME (the file is run); without it: the list",
        convert=word,
        default="",
        shown="WHAT",
    ),
    Flag(name="--jacobian", help="the Jacobians of small steps, and the proof that what is sent is v^T J"),
    Flag(name="--out", help="writes report.html, report.pdf and figures (SVG, PNG) here", convert=word, shown="FOLDER"),
    JSON,
]


def main(words: Sequence[str]) -> int:
    """Tells step by step what autograd does."""
    options = parse("explain", "What autograd does for a computation, step by step.", FLAGS, words)
    target = options["target"]
    if not target:
        return _listed(options)
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
    print("\ngradlab explain FILE.py:NAME runs your own file and explains its variable NAME.")
    return 0


def _computation(target: str, options: dict[str, Any]) -> int:
    from gradlab.explain import EXAMPLES, explain_example

    if target in EXAMPLES:
        explanation, title = explain_example(target, jacobian=options["jacobian"]), EXAMPLES[target].told
    elif ".py" in target or ":" in target:
        from gradlab.cli.explain_file import explain_file

        explanation, title = explain_file(target, jacobian=options["jacobian"]), target
    else:
        raise unknown("example", target, EXAMPLES, where="gradlab explain")
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
