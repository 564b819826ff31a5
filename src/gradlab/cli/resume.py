"""`gradlab resume`."""

import json
from collections.abc import Sequence
from pathlib import Path

from gradlab.cli.arguments import JSON, Flag, parse, whole_number, word
from gradlab.cli.together import is_alone, refuse_several, together
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
    if folder.is_complete:
        return _tell_finished(folder, as_json=as_json)
    return together(lambda: _go_on(folder, quiet=quiet, as_json=as_json))


def _go_on(folder: RunFolder, *, quiet: bool, as_json: bool) -> int:
    from gradlab.cli.execute import execute_held

    with folder.locked():
        # Another process may have finished it while this one waited; those of torchrun wait for what this one does.
        if folder.is_complete and is_alone():
            return _tell_finished(folder, as_json=as_json)
        return execute_held(folder, quiet=quiet, as_json=as_json)


def _tell_finished(folder: RunFolder, *, as_json: bool) -> int:
    report = folder.path / "report.html"
    document = {"finished": True, "report": str(report)}
    print(json.dumps(document) if as_json else f"{folder.path} is finished already; its report: {report}")
    return 0
