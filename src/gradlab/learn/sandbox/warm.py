"""The process that has torch and no exercise, which learners' processes are forks of: started anew or forked itself."""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TextIO

import gradlab

FORKS = sys.platform.startswith("linux")
"""whether a warm process can be forked: macOS's system libraries do not bear it, Windows has no fork"""
BEGIN = "import sys; sys.path.insert(0, {root!r}); from gradlab.learn.sandbox import server; server."
GRACE = 10.0
"""seconds that a process is given to end"""


class Warm:
    """A running `server.serve` and the pipes to it.

    Args:
        fork: it may be forked from this process, which imports torch once for both; needs a process without torch, so
            without exercises, and without threads. Otherwise Python is started anew, with nothing of this process.
    """

    def __init__(self, *, fork: bool = False) -> None:
        self.process: subprocess.Popen[str] | Forked = _forked() if fork and _can_fork() else _started()

    def ask(self, line: str) -> str | None:
        """Sends a request and returns the answer; None where the process is gone."""
        requests, answers = self.process.stdin, self.process.stdout
        if requests is None or answers is None:
            return None
        try:
            requests.write(line + "\n")
            requests.flush()
            answer = answers.readline()
            if answer == "ready\n":
                answer = answers.readline()
            return str(json.loads(answer))
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Ends the process."""
        self.process.terminate()
        try:
            self.process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent to a process that is gone
                    pipe.close()


@dataclass(slots=True)
class Forked:
    """A fork of this process, with the face of `subprocess.Popen`."""

    pid: int
    stdin: TextIO
    stdout: TextIO
    ended: bool = field(default=False, init=False)

    def terminate(self) -> None:
        """Asks it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it."""
        self._signal(signal.SIGKILL)

    def wait(self, timeout: float = float("inf")) -> None:
        """Waits for its end.

        Raises:
            subprocess.TimeoutExpired: it has not come within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self.ended:
            self.ended = os.waitpid(self.pid, os.WNOHANG)[0] != 0
            if not self.ended:
                if time.monotonic() > deadline:
                    raise subprocess.TimeoutExpired("fork", timeout)
                time.sleep(0.001)

    def _signal(self, number: int) -> None:
        if not self.ended:  # else the number may be another process's by now
            os.kill(self.pid, number)


def command(call: str) -> list[str]:
    """The words that start Python anew, cut off from the user's own modules, for one call of `server`."""
    return [sys.executable, "-I", "-B", "-c", BEGIN.format(root=_root()) + call]


def environment() -> dict[str, str]:
    """The environment that a learner's process gets."""
    kept = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",  # opens no windows
    }


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("serve()"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
        start_new_session=True,
    )  # fmt: skip


def _can_fork() -> bool:
    return FORKS and "torch" not in sys.modules and len([*Path("/proc/self/task").iterdir()]) == 1


def _forked() -> Forked:
    from gradlab.learn.sandbox.server import serve

    importlib.import_module("gradlab.learn.sandbox.child")  # and with it torch, once for both processes
    requests, answers = os.pipe(), os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _become(requests, answers, serve)
    os.close(requests[0])
    os.close(answers[1])
    return Forked(pid, os.fdopen(requests[1], "w"), os.fdopen(answers[0]))


def _become(requests: tuple[int, int], answers: tuple[int, int], serve: Callable[[], NoReturn]) -> NoReturn:
    """Makes this fork what a Python started anew would be, and never returns to the code that it was forked from."""
    try:
        os.setsid()
        os.dup2(requests[0], 0)
        os.dup2(answers[1], 1)
        for end in (*requests, *answers):
            os.close(end)
        sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
        own = {"", *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
        sys.path[:] = [_root(), *(place for place in sys.path[1:] if place not in own)]
        kept = environment()
        os.environ.clear()
        os.environ.update(kept)
        sys.dont_write_bytecode = True  # compiled files would be written outside the learner's folder
        serve()
    finally:
        os._exit(70)


def _root() -> str:
    return str(Path(gradlab.__file__).parents[1])
