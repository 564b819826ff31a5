"""More seeds for what is finished: what was trained is read back, only the new seeds are trained."""

import contextlib
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from gradlab.cli.settings import checked_settings
from gradlab.errors import UsageError
from gradlab.experiments import GROUPS
from gradlab.records import RunFolder


def add_seeds(folder: RunFolder, seeds: Sequence[int]) -> None:
    """Gives a finished run, or every run of a finished group, more seeds: an unfinished run, to be resumed.

    Raises:
        UsageError: a run is not finished, or a seed is negative, repeated or there already.
        FileError: another process holds a run, or it cannot be read or written.
    """
    if folder.has("group"):
        runs = [RunFolder(folder.path / name) for name in GROUPS[folder.document("group")["group"]]]
    else:
        folder.document("config")
        runs = [folder]
    with contextlib.ExitStack() as held:
        for run in runs:
            if not run.is_complete:
                raise UsageError(f"{run.path} is not finished: `gradlab resume {folder.path}` first, then add seeds")
            held.enter_context(run.locked())
        widened = [_widened(run, seeds) for run in runs]  # all are checked before the first is changed
        for run, settings in zip(runs, widened, strict=True):
            run.reopen(settings)


def _widened(run: RunFolder, seeds: Sequence[int]) -> dict[str, Any]:
    settings = checked_settings(run.document("config"))
    both = [*settings["seeds"], *seeds]
    if len(set(both)) != len(both) or min(both) < 0:
        there, got = (" ".join(map(str, some)) for some in (settings["seeds"], seeds))
        raise UsageError(f"--add-seeds takes different numbers of at least 0 beside the seeds {there}: got {got}")
    command = f"{settings['command']} && {shlex.join(['gradlab', *sys.argv[1:]])}"
    return {**settings, "seeds": both, "command": command}
