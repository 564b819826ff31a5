"""Watches a learner's process until it ends or passes a limit; standard library only."""

import time
from collections.abc import Callable
from pathlib import Path

PAUSE = 0.004
"""seconds between two looks"""


def supervise(
    ended: Callable[[], int | None], kill: Callable[[], None], output: Path, *, seconds: float, printed: int
) -> str:
    """Returns how the process ended: "ended CODE", "time" or "output"; nothing of it runs on.

    Args:
        ended: the exit code, or None while it runs; a signal is a negative code.
        kill: ends the process and whatever it started.
        output: the file that receives what it prints.
        seconds: of wall time that it may take.
        printed: bytes that it may print.
    """
    deadline = time.monotonic() + seconds
    try:
        while True:
            code = ended()
            if code is not None:
                return "output" if _size(output) > printed else f"ended {code}"
            if _size(output) > printed:
                return "output"
            if time.monotonic() > deadline:
                return "time"
            time.sleep(PAUSE)
    finally:
        kill()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
