"""`gradlab resume`."""

import json
from collections.abc import Sequence
from pathlib import Path

from gradlab.cli.arguments import JSON, Flag, parse, whole_number, word
from gradlab.cli.together import refuse_several, together
from gradlab.records import RunFolder


def main(words: Sequence[str]) -> int:
    """Goes on where a run was interrupted; a finished run is left as it is, or gets more seeds."""
    flags = [
        Flag(name="run", help="the run's folder", convert=word),
        Flag(name="--add-seeds", help="more seeds for a finished run or group; what is trained is read back",
             convert=whole_number, many=True, shown="SEED"),
        Flag(name="--quiet", help="no progress, only the result"),
        JSON,
    ]  # fmt: skip
    options = parse("resume", "Goes on with an interrupted run; only its folder is needed.", flags, words)
    folder = RunFolder(Path(options["run"]))
    as_json = bool(options["json"])
    quiet = bool(options["quiet"]) or as_json
    if options["add_seeds"] is not None:
        from gradlab.cli.add_seeds import add_seeds

        refuse_several("--add-seeds")
        code = add_seeds(folder, options["add_seeds"], quiet=quiet, as_json=as_json and not folder.has("group"))
        if not folder.has("group"):
            return code
    if folder.has("group"):
        from gradlab.cli.group import continue_group

        return continue_group(folder)
    folder.document("config")
    report = folder.path / "report.html"
    if folder.is_complete:
        print(
            json.dumps({"finished": True, "report": str(report)}) if options["json"] else _finished(folder.path, report)
        )
        return 0
    from gradlab.cli.execute import execute

    return together(lambda: execute(folder, quiet=quiet, as_json=as_json))


def _finished(folder: Path, report: Path) -> str:
    return f"{folder} is finished already; its report: {report}"
