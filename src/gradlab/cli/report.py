"""`gradlab report`."""

import json
from collections.abc import Sequence
from pathlib import Path

from gradlab.cli.arguments import JSON, Flag, parse, word
from gradlab.errors import UsageError
from gradlab.records import RunFolder


def main(words: Sequence[str]) -> int:
    """Writes the report of one run into its folder, or of several runs into a folder of its own."""
    flags = [
        Flag(name="runs", help="the folders of finished runs", convert=word, many=True, shown="RUN"),
        Flag(name="--out", help="folder of the report; needed for several runs", convert=word, shown="FOLDER"),
        JSON,
    ]
    options = parse("report", "Writes report.html and report.pdf from what runs left.", flags, words)
    folders = [RunFolder(Path(name)) for name in options["runs"]]
    if len(folders) > 1 and options["out"] is None:
        raise UsageError("a report of several runs needs a folder: add --out FOLDER")
    unfinished = [str(folder.path) for folder in folders if folder.has("config") and not folder.has("results")]
    if unfinished:
        raise UsageError(f"{unfinished[0]} is not finished: `gradlab resume {unfinished[0]}` goes on with it")
    from gradlab.cli.settings import load_experiment
    from gradlab.report import page_of_run, write_report

    pages = []
    for folder in folders:
        module = load_experiment(folder.document("config")["experiment"])
        pages.append(page_of_run(folder, module.page(folder)))
    target = Path(options["out"]) if options["out"] else folders[0].path
    paths = write_report(pages, target)
    if options["json"]:
        print(json.dumps({"html": str(paths.html), "pdf": str(paths.pdf) if paths.pdf else None}, indent=2))
    else:
        print(f"{paths.html}" + (f"\n{paths.pdf}" if paths.pdf else ""))
    return 0
