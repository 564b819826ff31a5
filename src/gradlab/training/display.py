"""What a person sees while a run goes on: one moving line on a terminal, seldom plain lines anywhere else."""

import math
import os
import shutil
import sys
import time
from typing import TextIO

from gradlab.records import Row
from gradlab.training.task import Progress

PLAIN_SECONDS = 30.0
STALE_SECONDS = 3.0
MEASURED_SECONDS = 1.0
"""How long a clock must have run before anything is told by it."""
WIDTH = 100


class Display:
    """Shows progress on standard error.

    A terminal gets one line that is written over; a file or pipe gets a plain line at most every 30 seconds;
    `quiet` gets nothing. NO_COLOR needs no care, since there are no colours.
    """

    def __init__(self, *, seeds: int = 1, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._seeds = seeds
        self._stream = stream or sys.stderr
        self.quiet = quiet
        self._moving = not quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began: dict[str, float] = {}
        self._shown_at = time.monotonic()
        self._latest: dict[int, Progress] = {}
        self._given: dict[int, float] = {}
        self._heard_at: dict[int, float] = {}
        self._warned: set[str] = set()
        self._wiped = True

    def progress(self, progress: Progress) -> None:
        """Takes a replica's progress and shows it if it is time."""
        if self._latest and next(iter(self._latest.values())).arm != progress.arm:
            for known in (self._latest, self._given, self._heard_at):
                known.clear()
        if not progress.samples_per_second or progress.seed not in self._latest:
            self._given[progress.seed] = _share(progress)  # what was there when the clock began took none of its time
        self._latest[progress.seed] = progress
        if not progress.samples_per_second:
            return
        self._began.setdefault(progress.arm, time.monotonic())
        self._heard_at[progress.seed] = time.monotonic()
        if self.quiet:
            return
        now = time.monotonic()
        if self._moving:
            width = _width()
            self._stream.write("\r" + self._line()[:width].ljust(width))
            self._stream.flush()
            self._wiped = False
        elif now - self._shown_at >= PLAIN_SECONDS:
            self.say(self._line())
            self._shown_at = now

    def row(self, row: Row) -> None:
        """Says so where a row tells that a seed diverged."""
        if "diverged" in row:
            self.say(f"{row['arm']} seed {row['seed']} stopped: {row['diverged']}")

    def say(self, text: str) -> None:
        """Prints a plain line, above the moving one."""
        if self.quiet:
            return
        self.wipe()
        self._stream.write(text + "\n")
        self._stream.flush()

    def warn(self, text: str) -> None:
        """Prints a warning that has not been said before: what holds for one arm and seed may hold for all."""
        if text not in self._warned:
            self._warned.add(text)
            self.say(f"warning: {text}")

    def wipe(self) -> None:
        """Removes the moving line."""
        if not self._wiped:
            self._stream.write("\r" + " " * _width() + "\r")
            self._stream.flush()
            self._wiped = True

    def _line(self) -> str:
        """Where the arm is: the share of all its seeds' steps, and what the seeds that run just now do."""
        now = time.monotonic()
        running = [self._latest[seed] for seed, at in self._heard_at.items() if now - at < STALE_SECONDS]
        done = sum(map(_share, self._latest.values())) / self._seeds
        made = done - sum(self._given.values()) / self._seeds
        slowest = min(running, key=lambda p: (p.epoch, p.step))
        elapsed = now - self._began[slowest.arm]
        count = sum(p.replicas for p in running)
        names = f"seed {slowest.seed}" if count == 1 else f"{count} seeds"
        loss = sum(p.loss for p in running) / len(running)
        told = "" if math.isnan(loss) else f"loss {loss:.4f}, "  # not read before the first epoch's end
        rate = sum(p.samples_per_second for p in running)
        left = f", {duration(elapsed * (1 - done) / made)} left" if made > 0 and elapsed >= MEASURED_SECONDS else ""
        return (
            f"{slowest.arm}, {names}: epoch {slowest.epoch}/{slowest.epochs}, "
            f"{100 * done:.0f} % of {self._seeds} seeds, {told}{rate:,.0f} images/s{left}"
        )


def _share(progress: Progress) -> float:
    """What a process has trained of its seeds, in seeds."""
    return progress.replicas * (progress.epoch - 1 + progress.step / progress.steps) / progress.epochs


def _width() -> int:
    """One column less than the terminal has, or a full line would wrap."""
    return min(WIDTH, shutil.get_terminal_size((WIDTH + 1, 24)).columns - 1)


def duration(seconds: float) -> str:
    """Seconds as a person says them, such as "1 h 05 min", "3 min 20 s" or "8 s"."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
