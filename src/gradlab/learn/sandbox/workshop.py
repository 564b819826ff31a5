"""The judge's side: puts a learner's file into an empty folder, has it run, reads what came out."""

import contextlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gradlab.errors import GradlabError
from gradlab.learn.sandbox.layout import ANSWER, HOME, OUTPUT, PROBE, REQUEST, RESULT
from gradlab.learn.sandbox.supervise import supervise
from gradlab.learn.sandbox.warm import FORKS, Warm, command, environment
from gradlab.learn.wire import WireError, pack, unpack

LACKING = "" if FORKS else "on this system memory is not limited, and every check starts Python anew (seconds)"
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

    The first use starts or forks a process that imports torch; later ones are forks of it and take milliseconds.

    Args:
        limits: what each file may use.
        warm: keep a process that is forked; None where the system can.
        fork: fork that process from this one where it has no torch yet; only for code of the one who runs this, since
            it can find out what environment this process was started with.
    """

    def __init__(self, limits: Limits | None = None, *, warm: bool | None = None, fork: bool = False) -> None:
        self.limits = limits or Limits()
        self.warm = FORKS if warm is None else warm
        self._fork = fork
        self._server: Warm | None = None

    def __enter__(self) -> Self:
        self.prepare()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def prepare(self) -> None:
        """Starts the warm process; a fork waits for the import of torch that both need, one started anew does not."""
        if self.warm and self._server is None:
            self._server = Warm(fork=self._fork)

    def close(self) -> None:
        """Ends the warm process."""
        if self._server is not None:
            self._server.close()
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
            how = self._request(folder) if self.warm else self._start(folder)
            printed = _read(folder / OUTPUT)[-4 * TAIL :].decode("utf-8", "replace")[-TAIL:]
            return Report(messages=tuple(_messages(_read(folder / RESULT))), how=how, printed=printed)

    def _request(self, folder: Path) -> str:
        request = {"folder": str(folder), "seconds": self.limits.wall, "printed": self.limits.printed}
        for _ in range(2):
            self.prepare()
            answer = self._server.ask(json.dumps(request)) if self._server else None
            if answer is not None:
                return answer
            self.close()
        raise GradlabError("the process that runs learners' files does not start; see `gradlab doctor`")

    def _start(self, folder: Path) -> str:
        learner = subprocess.Popen(
            command(f"once({str(folder)!r})"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(),
            start_new_session=True,
        )  # fmt: skip
        import_time = 20.0  # torch is imported before the learner's own time begins
        seconds = self.limits.wall + import_time

        def kill() -> None:
            learner.kill()
            learner.wait()

        return supervise(learner.poll, kill, folder / OUTPUT, seconds=seconds, printed=self.limits.printed)


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
