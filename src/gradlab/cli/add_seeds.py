"""More seeds for what is finished: what was trained is read back, only the new seeds are trained."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from gradlab.cli.execute import execute_held
from gradlab.cli.repeat import with_seeds
from gradlab.cli.settings import checked_settings, configured, load_experiment
from gradlab.errors import DivergedError, UsageError
from gradlab.experiments import GROUPS
from gradlab.records import RunFolder, reopen


def add_seeds(folder: RunFolder, seeds: Sequence[int], *, quiet: bool, as_json: bool) -> int:
    """Trains a finished run, or every run of a finished group, with more seeds; returns the worst exit code.

    Raises:
        UsageError: a run is not finished, or a seed is negative, repeated or there already.
        GradlabError: whatever stopped it; where nothing new was measured yet, the run is finished as before.
    """
    if len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise UsageError(f"--add-seeds takes different numbers of at least 0: got {_told(seeds)}")
    runs = _runs(folder)
    for run in runs:
        if not run.is_complete:
            raise UsageError(f"{run.path} is not finished: `gradlab resume {folder.path}` first, then add seeds")
    wider = {run.path: _widened(run, seeds) for run in runs}  # all are checked before the first one is changed
    if not any(wider.values()):
        there = runs[0].document("config")["seeds"]
        raise UsageError(f"{folder.path} has the seeds {_told(there)} already: name others than {_told(seeds)}")
    if there := [seed for seed in seeds if all(seed in run.document("config")["seeds"] for run in runs)]:
        print(f"there already, and left as they are: {_told(there)}", file=sys.stderr)
    codes = [0]
    for run in runs:
        if settings := wider[run.path]:
            try:
                _grown(run, settings, quiet=quiet, as_json=as_json)
            except DivergedError as error:  # this one is reported; the others have their own questions
                codes.append(error.exit_code)
                print(f"gradlab: {run.path.name}: {error}", file=sys.stderr)
    if (group := RunFolder(folder.path.resolve().parent)).has("group"):
        told = os.path.relpath(group.path)
        print(f"the report of its group is older now: `gradlab report {told}` writes it anew", file=sys.stderr)
    return max(codes)


def _runs(folder: RunFolder) -> list[RunFolder]:
    if folder.has("group"):
        return [RunFolder(folder.path / name) for name in GROUPS[folder.document("group")["group"]]]
    folder.document("config")
    return [folder]


def _widened(run: RunFolder, seeds: Sequence[int]) -> dict[str, Any] | None:
    """The settings of a run with the seeds that it lacks; None where it lacks none."""
    settings = checked_settings(run.document("config"))
    configured(load_experiment(settings["experiment"]), settings)
    missing = [seed for seed in seeds if seed not in settings["seeds"]]
    if not missing:
        return None
    together = [*settings["seeds"], *missing]
    return {**settings, "seeds": together, "command": with_seeds(settings["command"], together)}


def _grown(run: RunFolder, settings: dict[str, Any], *, quiet: bool, as_json: bool) -> None:
    with run.locked():
        reopen(run, settings)
        execute_held(run, quiet=quiet, as_json=as_json)


def _told(seeds: Sequence[int]) -> str:
    return " ".join(map(str, seeds))
