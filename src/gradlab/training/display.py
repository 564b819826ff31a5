"""What a person sees while a run goes on: one moving line on a terminal, seldom plain lines anywhere else."""

import os
import sys
import time
from typing import TextIO

from gradlab.records import Row
from gradlab.training.task import Progress

PLAIN_SECONDS = 30.0
WIDTH = 100


class Display:
    """Shows progress on standard error.

    A terminal gets one line that is written over; a file or pipe gets a plain line at most every 30 seconds;
    `quiet` gets nothing. NO_COLOR needs no care, since there are no colours.
    """

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._moving = not quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began: dict[str, float] = {}
        self._shown_at = time.monotonic()
        self._latest: dict[int, Progress] = {}
        self._wiped = True

    def progress(self, progress: Progress) -> None:
        """Takes a replica's progress and shows it if it is time."""
        self._began.setdefault(progress.arm, time.monotonic())
        if self._latest and next(iter(self._latest.values())).arm != progress.arm:
            self._latest.clear()
        self._latest[progress.seed] = progress
        if self._quiet:
            return
        now = time.monotonic()
        if self._moving:
            self._stream.write("\r" + self._line()[:WIDTH].ljust(WIDTH))
            self._stream.flush()
            self._wiped = False
        elif now - self._shown_at >= PLAIN_SECONDS:
            self.say(self._line())
            self._shown_at = now

    def row(self, row: Row) -> None:
        """Prints the measurements of an epoch's validation as a plain line on a terminal that is not moving."""
        if "diverged" in row:
            self.say(f"{row['arm']} seed {row['seed']} stopped: {row['diverged']}")

    def say(self, text: str) -> None:
        """Prints a plain line, above the moving one."""
        if self._quiet:
            return
        self.wipe()
        self._stream.write(text + "\n")
        self._stream.flush()

    def wipe(self) -> None:
        """Removes the moving line."""
        if not self._wiped:
            self._stream.write("\r" + " " * WIDTH + "\r")
            self._stream.flush()
            self._wiped = True

    def _line(self) -> str:
        seeds = list(self._latest.values())
        shares = [((p.epoch - 1) + p.step / p.steps) / p.epochs for p in seeds]
        slowest = seeds[shares.index(min(shares))]
        rate = sum(p.samples_per_second for p in seeds)
        elapsed = time.monotonic() - self._began[slowest.arm]
        left = elapsed * (1 - min(shares)) / max(min(shares), 1e-3)
        names = "seed " + str(slowest.seed) if len(seeds) == 1 else f"{len(seeds)} seeds"
        loss = sum(p.loss for p in seeds) / len(seeds)
        return (
            f"{slowest.arm}, {names}: epoch {slowest.epoch}/{slowest.epochs}, {min(shares):.0%}, "
            f"loss {loss:.4f}, {rate:,.0f} images/s, {duration(left)} left"
        )


def duration(seconds: float) -> str:
    """Seconds as a person says them, such as "1 h 05 min", "3 min 20 s" or "8 s"."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
