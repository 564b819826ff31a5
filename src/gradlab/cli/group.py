"""Several experiments in one folder, with one report."""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from gradlab.cli.fields import outline
from gradlab.cli.repeat import with_seeds
from gradlab.cli.run import USUAL_SEEDS, begin, settings_of
from gradlab.cli.settings import load_experiment
from gradlab.cli.together import refuse_several
from gradlab.errors import DivergedError, FileError, InterruptedRunError, UsageError
from gradlab.experiments import GROUPS, source_of
from gradlab.records import RunFolder, new_run_folder, write_json
from gradlab.report import ReportPaths, page_of_run, with_front_page, write_report


def run_group(name: str, options: dict[str, Any]) -> int:
    """Runs the experiments of a group, each in a folder of its own below the group's, and reports them together.

    Raises:
        UsageError: the folder is not empty.
        GradlabError: whatever stopped one of them; `gradlab resume` goes on.
    """
    refuse_several("a group")
    if options["dry_run"]:
        from gradlab.cli.dry_run import dry_run_group

        members = [_member_settings(member, options, dict(changes)) for member, changes in GROUPS[name].items()]
        return dry_run_group(name, members, as_json=bool(options["json"]))
    folder = new_run_folder(Path(options["out"]) if options["out"] else None, name)
    first = settings_of(name, "", options, {})
    kept = {key: value for key, value in options.items() if key not in ("out", "dry_run")}
    write_json(folder.path / "group.json", {"schema": 1, "group": name, "command": first["command"], "options": kept})
    folder.seal(finished=False)
    return continue_group(folder)


def continue_group(folder: RunFolder) -> int:
    """Runs what a group's folder still lacks, then writes its report; returns the worst exit code."""
    from gradlab.cli.execute import execute
    from gradlab.training.display import duration

    refuse_several("a group")
    group = folder.document("group")
    options = group["options"]
    quiet, as_json = bool(options["quiet"] or options["json"]), bool(options["json"])
    codes = [0]
    members = [RunFolder(folder.path / name) for name in GROUPS[group["group"]]]
    for member, changes in zip(members, GROUPS[group["group"]].values(), strict=True):
        if member.is_complete:
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()) if as_json else contextlib.nullcontext():  # one document
                if member.has("config"):
                    execute(member, quiet=quiet, as_json=False)
                else:
                    member.path.mkdir(exist_ok=True)
                    settings = _member_settings(member.path.name, options, dict(changes))
                    settings["command"] = group["command"]  # this may be `gradlab resume`
                    begin(member, settings, quiet=quiet, as_json=False)
        except DivergedError as error:  # this one is reported; the others have their own questions
            codes.append(error.exit_code)
            print(f"gradlab: {member.path.name}: {error}", file=sys.stderr)
        except InterruptedRunError as error:
            message = str(error).replace(f"gradlab resume {member.path}", f"gradlab resume {folder.path}")
            raise InterruptedRunError(message, exit_code=error.exit_code) from error
    paths = report_of_group(folder, folder.path)
    seconds = sum(run.document("results")["seconds"] for run in members)
    told = {"folder": str(folder.path), "report": str(paths.html), "experiments": [run.path.name for run in members],
            "seconds": seconds}  # fmt: skip
    in_words = f"\nreport of all: {paths.html} and {paths.pdf}\nall took {duration(seconds)}, reports not counted"
    print(json.dumps(told, indent=2) if as_json else in_words)
    return max(codes)


def report_of_group(folder: RunFolder, target: Path) -> ReportPaths:
    """Writes the report of a group's finished runs into a folder.

    Raises:
        UsageError: one of them is not finished.
        FileError: a record is missing or damaged, or the report cannot be written.
    """
    group = folder.document("group")
    if group.get("group") not in GROUPS or not {"command", "options"} <= group.keys():
        raise FileError(f"{folder.path / 'group.json'} is damaged: it names no group of gradlab's")
    members = [RunFolder(folder.path / name) for name in GROUPS[group["group"]]]
    for run in members:
        if not run.has("results"):
            raise UsageError(f"{run.path} is not finished: `gradlab resume {folder.path}` goes on with it")
    pages = [page_of_run(run, load_experiment(run.path.name).page(run)) for run in members]
    return write_report(with_front_page(pages, _repeating(group, members)), target, title=group["group"])


def _repeating(group: dict[str, Any], members: list[RunFolder]) -> str:
    """The command of the group; with the seeds that all of its runs have by now, where they got more."""
    of_runs = [run.document("config")["seeds"] for run in members]
    common = [seed for seed in of_runs[0] if all(seed in seeds for seeds in of_runs)]
    if set(common) == set(group["options"]["seeds"] or USUAL_SEEDS):
        return str(group["command"])
    return with_seeds(group["command"], common)


def _member_settings(name: str, options: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return settings_of(name, outline(source_of(name)).question, options, changes)
