"""`gradlab report`."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import JSON, Flag, parse, word
from gradlab.errors import UsageError
from gradlab.records import RunFolder

HANDBOOK_FOLDER = "handbook_report"


def main(words: Sequence[str]) -> int:
    """Writes the report of one run into its folder, or of several runs into a folder of its own."""
    flags = [
        Flag(name="runs", help="the folders of finished runs", convert=word, many=True, default=(), shown="RUN"),
        Flag(
            name="--handbook",
            help="answers the questions of the practicals and the slides, a page each, from RUN... or else from all of "
            "runs/",
        ),
        Flag(
            name="--out",
            help=f"folder of the report; needed for several runs [with --handbook: {HANDBOOK_FOLDER}]",
            convert=word,
            shown="FOLDER",
        ),
        JSON,
    ]
    options = parse(
        "report", "Writes report.html and report.pdf from what runs, or a group of them, left.", flags, words
    )
    folders = [RunFolder(Path(name)) for name in options["runs"]]
    return _handbook(folders, options) if options["handbook"] else _of_runs(folders, options)


def _of_runs(folders: list[RunFolder], options: dict[str, Any]) -> int:
    if not folders:
        raise UsageError("name the folder of a finished run, or ask for --handbook")
    if len(folders) > 1 and options["out"] is None:
        raise UsageError("a report of several runs needs a folder: add --out FOLDER")
    target = Path(options["out"]) if options["out"] else folders[0].path
    if len(folders) == 1 and folders[0].has("group"):
        from gradlab.cli.group import report_of_group

        return _tell(report_of_group(folders[0], target), options)
    if len(folders) > 1 and target.resolve() in [folder.path.resolve() for folder in folders]:
        raise UsageError(f"--out {target} is one of the runs, whose own report would be lost: choose another folder")
    unfinished = [str(folder.path) for folder in folders if folder.has("config") and not folder.has("results")]
    if unfinished:
        raise UsageError(f"{unfinished[0]} is not finished: `gradlab resume {unfinished[0]}` goes on with it")
    from gradlab.cli.settings import load_experiment
    from gradlab.report import page_of_run, told_apart

    pages = []
    for folder in folders:
        module = load_experiment(folder.document("config")["experiment"])
        pages.append(page_of_run(folder, module.page(folder)))
    return _write([*_beside_each_other(folders), *told_apart(pages, folders)], target, "", options)


def _beside_each_other(folders: list[RunFolder]) -> list[Any]:
    """A first page that compares the runs, where there are several that can be compared."""
    from gradlab.report import Code, Heading, Page, compare_runs, comparison_blocks, differing_settings, labels_of

    if len(folders) < 2:
        return []
    documents = [folder.document("results") for folder in folders]
    try:
        document = compare_runs(documents, labels_of(folders), settings=differing_settings(folders))
    except UsageError:
        return []  # other data, no metric or no seeds in common: each run stands for itself
    command = " ".join(["gradlab compare", *(shlex.quote(str(folder.path)) for folder in folders)])
    return [
        Page(
            title="The runs beside each other",
            question="What do the seeds show of what differs between these runs?",
            blocks=[*comparison_blocks(document), Heading("How to repeat it"), Code(command)],
            brief=True,
        )
    ]


def _handbook(folders: list[RunFolder], options: dict[str, Any]) -> int:
    """The runs, the members of groups among them, or all below runs/, bound into one report."""
    if not folders and not Path("runs").is_dir():
        raise UsageError("there is no folder runs/ here: name the folders of finished runs after --handbook")
    from gradlab.answers import bind

    roots = [folder.path for folder in folders] or [Path("runs")]
    missing = [str(root) for root in roots if not root.is_dir()]
    if missing:
        raise UsageError(f"there is no folder {missing[0]}")
    found = [RunFolder(path.parent) for root in roots for path in sorted(root.rglob("results.json"))]
    runs: dict[str, list[RunFolder]] = {}
    for run in sorted((run for run in found if run.has("config")), key=_preferred_first):
        runs.setdefault(run.document("config")["experiment"], []).append(run)
    return _write(bind(runs), Path(options["out"] or HANDBOOK_FOLDER), "The handbook, answered", options)


def _preferred_first(run: RunFolder) -> tuple[bool, float]:
    """Full runs before quick ones, newer ones before older ones."""
    return bool(run.document("config")["quick"]), -(run.path / "results.json").stat().st_mtime


def _write(pages: list[Any], target: Path, title: str, options: dict[str, Any]) -> int:
    from gradlab.report import write_report

    return _tell(write_report(pages, target, title), options)


def _tell(paths: Any, options: dict[str, Any]) -> int:
    """Says where a report lies."""
    if options["json"]:
        print(json.dumps({"html": str(paths.html), "pdf": str(paths.pdf) if paths.pdf else None}, indent=2))
    else:
        print(f"{paths.html}" + (f"\n{paths.pdf}" if paths.pdf else ""))
    return 0
