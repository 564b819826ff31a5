"""Suite 5: signals at any moment, two processes on one folder, disks that take no more."""

import errno
import os
import random
import resource
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

from gradlab.cli import execute, main
from gradlab.records import code_digest, write_atomically
from gradlab.report import ReportPaths
from gradlab.training.signals import EXIT_CODES
from tests.reliability.families import bits, differences
from tests.reliability.faults import end_of, forked

COMMAND = ("run", "logistic_regression", "--quick", "--epochs", "6", "--seeds", "0", "1", "--save-seconds", "0.05",
           "--offline", "--quiet")  # fmt: skip
PATIENCE = 30.0
"""Seconds in which the children of a process that is gone must notice it."""
SIGNALS, RACES, DISKS = 100, 50, 20
"""In the full part."""


def command(place: Path, words: tuple[str, ...], *, most_bytes: int | None = None) -> int:
    """Starts a command line in a forked process with a process group of its own; what it says goes to `<pid>.said`."""

    def work() -> None:
        os.setsid()
        # What a report costs would leave a tenth of the trials.
        mock.patch("gradlab.cli.execute.page_of_run").start()
        mock.patch("gradlab.cli.execute.write_report", _note_the_report).start()
        os.chdir(place)
        said = os.open(f"{os.getpid()}.said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        sys.stdout = sys.stderr = os.fdopen(said, "w", buffering=1)
        if most_bytes is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        os._exit(main(words))

    return forked(work, place / "told")


def said(place: Path, pid: int) -> str:
    """What a command said."""
    return (place / f"{pid}.said").read_text()


def orphans(group: int) -> list[int]:
    """The processes of a group that are still there, a while after its leader has ended."""
    end = time.monotonic() + PATIENCE
    while True:
        left = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _group(path) == group]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


class Trial:
    """What the command leaves that nobody disturbs."""

    def __init__(self, place: Path) -> None:
        self.place = place
        assert execute is not None  # imported here, once, and not in every process
        code_digest()
        begin = time.perf_counter()
        pid = command(place, (*COMMAND, "--out", "straight"))
        code = end_of(pid)
        assert code == 0, said(place, pid)
        self.seconds = time.perf_counter() - begin
        self.expected = bits(place / "straight")

    def signalled(self, number: int, share: float, name: str) -> list[str]:
        """What is wrong after a run that got a signal some way through and was resumed."""
        pid = command(self.place, (*COMMAND, "--out", name))
        self._wait_for(self.place / name / "remembered.sealed", pid)
        time.sleep(share * self.seconds * 0.7)
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        code = end_of(pid)
        what = said(self.place, pid)
        wrong = [f"{left} left behind" for left in orphans(pid)]
        if code not in (0, EXIT_CODES[number]):
            wrong.append(f"ended with {code}")
        if "Traceback" in what or (code and f"gradlab resume {name}" not in what):
            wrong.append(f"said {what[-200:]}")
        return [f"{signal.Signals(number).name}: {about}" for about in wrong + self._resumed(name)]

    def raced(self, name: str, wait: float) -> tuple[str, list[str]]:
        """Two processes start the same new run; returns how the second one ended, and what was wrong."""
        first = command(self.place, (*COMMAND, "--out", name))
        time.sleep(wait * self.seconds)
        second = command(self.place, (*COMMAND, "--out", name))
        ends = {pid: end_of(pid) for pid in (first, second)}
        wrong = [] if sorted(ends.values()) in ([0, 2], [0, 74]) else [f"ended with {sorted(ends.values())}"]
        for pid, code in ends.items():
            holder = next(other for other in ends if other != pid)
            if code == 74 and f"in use by process {holder}" not in said(self.place, pid):
                wrong.append(f"said {said(self.place, pid)}")
        wrong += differences(bits(self.place / name), self.expected) if 0 in ends.values() else []
        return str(sorted(ends.values())[1]), [f"race: {about}" for about in wrong]

    def resumed_twice(self, name: str) -> list[str]:
        """Two processes resume one interrupted run."""
        pid = command(self.place, (*COMMAND, "--out", name))
        self._wait_for(self.place / name / "remembered.sealed", pid)
        os.kill(pid, signal.SIGTERM)
        end_of(pid)
        pids = [command(self.place, ("resume", name, "--quiet")) for _ in range(2)]
        codes = sorted(end_of(pid) for pid in pids)
        wrong = [] if codes in ([0, 0], [0, 74]) else [f"ended with {codes}"]
        return [f"resumed twice: {about}" for about in wrong + differences(bits(self.place / name), self.expected)]

    def full_disk(self, name: str, most_bytes: int) -> list[str]:
        """Files may not grow beyond a size: the run says so, keeps what it had, and goes on once there is space."""
        pid = command(self.place, (*COMMAND, "--out", name), most_bytes=most_bytes)
        code, what = end_of(pid), said(self.place, pid)
        if code == 0:
            return []
        wrong = [] if code == 74 and os.strerror(errno.EFBIG) in what else [f"ended with {code}: {what[-200:]}"]
        if not (self.place / name / "config.json").exists():
            return wrong
        return [f"at most {most_bytes} bytes: {about}" for about in wrong + self._resumed(name)]

    def _resumed(self, name: str) -> list[str]:
        pid = command(self.place, ("resume", name, "--quiet"))
        code = end_of(pid)
        if code:
            return [f"resume ended with {code}: {said(self.place, pid)[-200:]}"]
        return differences(bits(self.place / name), self.expected)

    def _wait_for(self, path: Path, pid: int) -> None:
        end = time.monotonic() + 60
        while not path.exists() and time.monotonic() < end and Path(f"/proc/{pid}").exists():
            time.sleep(0.005)


def full(share: float) -> dict[str, Any]:
    """Signals at random moments, races for new folders and for interrupted ones, files that may not grow."""
    chance = random.Random(5)
    signals, races, disks = (max(3, round(count * share)) for count in (SIGNALS, RACES, DISKS))
    with tempfile.TemporaryDirectory(prefix="signals-") as folder:
        trial = Trial(Path(folder))
        wrong = []
        for index in range(signals):
            wrong += trial.signalled(list(EXIT_CODES)[index % len(EXIT_CODES)], chance.random(), f"signal-{index}")
        ends: dict[str, int] = {}
        for index in range(races):
            loser, found = trial.raced(f"race-{index}", chance.choice((0.0, chance.random() / 2)))
            ends[loser] = ends.get(loser, 0) + 1
            wrong += found + (trial.resumed_twice(f"twice-{index}") if index % 3 == 0 else [])
        for index in range(disks):
            wrong += trial.full_disk(f"disk-{index}", int(10 ** chance.uniform(2.5, 5)))
    return {"signals": signals, "races_for_a_new_folder": races, "exit_codes_of_the_losers": ends,
            "races_to_resume": -(-races // 3), "full_disks": disks, "wrong": len(wrong), "failures": wrong}  # fmt: skip


def _note_the_report(_pages: object, folder: Path) -> ReportPaths:
    write_atomically(folder / "report.html", b"")
    return ReportPaths(folder / "report.html", folder / "report.pdf", ())


def _group(path: Path) -> int:
    with suppress(OSError, IndexError, ValueError):
        fields = (path / "stat").read_text().rpartition(")")[2].split()
        return int(fields[2]) if fields[0] != "Z" else 0
    return 0
