"""The judge's side: puts a learner's file into an empty folder, has it run, reads what came out."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import gradlab
from gradlab.errors import GradlabError
from gradlab.learn.sandbox.layout import ANSWER, HOME, OUTPUT, PROBE, REQUEST, RESULT
from gradlab.learn.sandbox.supervise import supervise
from gradlab.learn.wire import WireError, pack, unpack

FORKS = sys.platform.startswith("linux")
"""whether a warm process can be forked: macOS's system libraries do not bear it, Windows has no fork"""
LACKING = "" if FORKS else "on this system memory is not limited, and every check starts Python anew (seconds)"
BEGIN = "import sys; sys.path.insert(0, {root!r}); from gradlab.learn.sandbox import server; server."
TAIL = 2_000
"""characters of a learner's own output that are kept"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a learner's file may use.

    Args:
        seconds: processor time of all cases together.
        wall: time on the clock, for code that waits; a busy machine makes it longer than the processor time.
        memory: bytes beyond what Python and torch take.
        printed: bytes of output.
    """

    seconds: float = 5.0
    wall: float = 20.0
    memory: int = 1_000_000_000
    printed: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came out of a learner's process.

    Args:
        messages: see `sandbox.child.run`.
        how: "ended CODE", "time" or "output".
        printed: the end of what it printed.
    """

    messages: tuple[dict[str, Any], ...]
    how: str
    printed: str


class Workshop:
    """Runs learners' files, each in a process of its own; a context manager.

    The first use starts a Python that imports torch; later ones are forks of it and take milliseconds.

    Args:
        limits: what each file may use.
        warm: keep a process that is forked; None where the system can.
    """

    def __init__(self, limits: Limits | None = None, *, warm: bool | None = None) -> None:
        self.limits = limits or Limits()
        self.warm = FORKS if warm is None else warm
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.prepare()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def prepare(self) -> None:
        """Starts the warm process without waiting for it, so that it imports torch while the caller does."""
        if self.warm and self._server is None:
            self._server = subprocess.Popen(
                [*_python(), BEGIN.format(root=_root()) + "serve()"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment(), start_new_session=True,
            )  # fmt: skip

    def close(self) -> None:
        """Ends the warm process."""
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            for pipe in (self._server.stdin, self._server.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was not sent to a process that is gone
                        pipe.close()
            self._server = None

    def run(self, source: str, asks: tuple[str, ...], cases: list[Any], *, probe: tuple[str, str] = ("", "")) -> Report:
        """Runs a learner's source on the cases.

        Args:
            source: the learner's file.
            asks: functions and classes it must define.
            cases: the inputs of each case, plain.
            probe: name and source of the probe, see `Check`.

        Raises:
            GradlabError: the warm process is gone twice in a row.
        """
        with tempfile.TemporaryDirectory(prefix="gradlab-learn-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / HOME).mkdir()
            (folder / ANSWER).write_text(source, encoding="utf-8")
            (folder / PROBE).write_text(probe[1], encoding="utf-8")
            request = {"asks": list(asks), "cases": cases, "probe": probe[0],
                       "seconds": self.limits.seconds, "memory": self.limits.memory}  # fmt: skip
            (folder / REQUEST).write_bytes(pack(request))
            how = self._fork(folder) if self.warm else self._start(folder)
            printed = _read(folder / OUTPUT)[-4 * TAIL :].decode("utf-8", "replace")[-TAIL:]
            return Report(messages=tuple(_messages(_read(folder / RESULT))), how=how, printed=printed)

    def _fork(self, folder: Path) -> str:
        request = {"folder": str(folder), "seconds": self.limits.wall, "printed": self.limits.printed}
        for _ in range(2):
            self.prepare()
            answer = self._ask(json.dumps(request))
            if answer is not None:
                return answer
            self.close()
        raise GradlabError("the process that runs learners' files does not start; see `gradlab doctor`")

    def _ask(self, line: str) -> str | None:
        server = self._server
        if server is None or server.stdin is None or server.stdout is None:
            return None
        try:
            server.stdin.write(line + "\n")
            server.stdin.flush()
            answer = server.stdout.readline()
            if answer == "ready\n":
                answer = server.stdout.readline()
            return str(json.loads(answer))
        except (OSError, ValueError):
            return None

    def _start(self, folder: Path) -> str:
        learner = subprocess.Popen(
            [*_python(), BEGIN.format(root=_root()) + f"once({str(folder)!r})"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(),
            start_new_session=True,
        )  # fmt: skip
        import_time = 20.0  # torch is imported before the learner's own time begins
        seconds = self.limits.wall + import_time

        def kill() -> None:
            learner.kill()
            learner.wait()

        return supervise(learner.poll, kill, folder / OUTPUT, seconds=seconds, printed=self.limits.printed)


def _python() -> list[str]:
    return [sys.executable, "-I", "-B", "-c"]


def _root() -> str:
    return str(Path(gradlab.__file__).parents[1])


def _environment() -> dict[str, str]:
    kept = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",  # opens no windows
    }


def _read(path: Path) -> bytes:
    """A file's content; nothing where the learner's code put something else in its place."""
    with contextlib.suppress(OSError):
        if path.is_file() and not path.is_symlink():
            return path.read_bytes()
    return b""


def _messages(content: bytes) -> list[dict[str, Any]]:
    found = []
    while content:
        try:
            message, content = unpack(content)
        except WireError:
            break  # the process was stopped in the middle of a message
        if isinstance(message, dict):
            found.append(message)
    return found
