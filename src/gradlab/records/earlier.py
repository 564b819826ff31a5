"""What a finished run measured, kept while the run goes on with other settings, so that it can be had back."""

import json
import math
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradlab.errors import FileError
from gradlab.records.files import make_folder, write_atomically, write_json
from gradlab.records.folder import RunFolder
from gradlab.records.seal import SEAL

FINISHING = ("report.html", "report.pdf", "results.json")
"""What makes a run a finished one; an old report left beside new results would pass for theirs."""
KEPT = ("config.json", "environment.json", "rows.jsonl", *FINISHING)
"""The files of a finished run that going on with it replaces."""


def reopen(run: RunFolder, settings: Mapping[str, Any]) -> None:
    """Makes a finished run an unfinished one with other settings; the state of what was trained stays.

    Killed between two of its steps, it leaves the finished run, or an unfinished one with the new or the old settings.

    Raises:
        FileError: the folder cannot be read or written.
    """
    make_folder(_place(run))
    for name in KEPT:
        _copy(run.path / name, _kept(run, name))
    for name in reversed(FINISHING):
        _remove(run.path / name)
    _remove(run.path / SEAL)  # it knows the old settings
    write_json(run.path / "config.json", dict(settings))
    run.seal(finished=False)


def take_back(run: RunFolder) -> bool:
    """Whether a reopened run, of which nothing new was measured, is the finished one again that it was.

    Raises:
        FileError: the folder cannot be read or written.
    """
    if run.has("results") or not all(_kept(run, name).is_file() for name in KEPT):
        return False
    if _lines(run.rows_path) != _lines(_kept(run, "rows.jsonl")):
        return False
    _remove(run.path / SEAL)
    for name in KEPT:
        _copy(_kept(run, name), run.path / name)
    run.seal(finished=True)
    forget(run)
    return True


def seconds_told(run: RunFolder) -> float:
    """The wall time in the results of a run that is not finished: one without a report, or a reopened one; else 0."""
    return max(_seconds_in(path) for path in (run.path / "results.json", _kept(run, "results.json")))


def forget(run: RunFolder) -> None:
    """Removes what was kept: the run has been finished with its other settings."""
    shutil.rmtree(_place(run), ignore_errors=True)


def _place(run: RunFolder) -> Path:
    return run.path / "earlier"


def _kept(run: RunFolder, name: str) -> Path:
    """Where a file is kept, under a name by which nobody takes the folder for a run."""
    return _place(run) / f"{name}.kept"


def _lines(path: Path) -> Counter[str]:
    """The rows of a file in any order; half a line of a killed process counts for none."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return Counter(line for line in lines if line.endswith("}"))


def _seconds_in(path: Path) -> float:
    try:
        seconds = float(json.loads(path.read_bytes())["seconds"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return 0.0  # not there, or damaged: then a time is not worth losing the run for
    return seconds if math.isfinite(seconds) else 0.0


def _copy(path: Path, to: Path) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    write_atomically(to, content)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"cannot write {path.parent}: {error.strerror}") from error
