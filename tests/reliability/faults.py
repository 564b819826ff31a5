"""Breaks one chosen file event: kills the process there, tears a write, or lets the disk be full or broken."""

import errno
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

from gradlab.errors import GradlabError, InterruptedRunError

FAULTS = ("kill", "torn", "ENOSPC", "EIO")
"""Killed before the event; killed in the middle of it; the two errors that disks give."""
CALLS = ("open", "fsync", "chmod", "replace", "unlink", "mkdir")
CRASHED = 70


class Events:
    """Counts what changes files below a folder while it is `watched`, and breaks the event whose number is `at`."""

    def __init__(self, folder: Path, *, at: int | None = None, fault: str = "kill") -> None:
        self.names: list[str] = []
        self._folder, self._at, self._fault = str(folder.resolve()), at, fault

    @contextmanager
    def watched(self) -> Iterator["Events"]:
        """Replaces the functions of the operating system by which gradlab writes, for as long as the block runs."""
        with ExitStack() as stack:
            for name in CALLS:
                stack.enter_context(mock.patch.object(os, name, self._counted(name, getattr(os, name))))
            for module, name in ((os, "fdopen"), (io, "open")):
                stack.enter_context(mock.patch.object(module, name, self._opening(name, getattr(module, name))))
            yield self

    def meet(self, name: str, finish_half: Callable[[], object]) -> None:
        """Notes an event, and breaks it if it is the chosen one."""
        self.names.append(name)
        if len(self.names) - 1 != self._at:
            return
        if self._fault == "torn" or (self._fault != "kill" and name == "write"):
            with suppress(OSError):
                finish_half()  # what cannot be torn has happened, and nothing after it
        if self._fault in ("kill", "torn"):
            os.kill(os.getpid(), signal.SIGKILL)
        code = getattr(errno, self._fault)
        raise OSError(code, os.strerror(code))

    def concerns(self, target: Any) -> bool:
        """Whether a path or a handle lies below the folder; the lock's own file is none of the records."""
        if isinstance(target, int):
            target = Path(f"/proc/self/fd/{target}").readlink()
        path = str(Path(os.fspath(target)).absolute())
        return path.startswith(self._folder) and not path.endswith(".lock")

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(target: Any, *arguments: Any, **options: Any) -> Any:
            if self.concerns(target):
                self.meet(name, lambda: call(target, *arguments, **options))
            return call(target, *arguments, **options)

        return counted

    def _opening(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def opening(target: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            if not set(mode) & set("wax+") or not self.concerns(target):
                return call(target, mode, *arguments, **options)
            if not isinstance(target, int):
                self.meet("open", lambda: call(target, mode, *arguments, **options).close())
            return Tearable(call(target, mode, *arguments, **options), self)

        return opening


class Tearable:
    """A file whose writes are events."""

    def __init__(self, file: Any, events: Events) -> None:
        self._file, self._events = file, events

    def __enter__(self) -> "Tearable":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, content: Any) -> int:
        """Writes, unless this is the event that breaks: then half of it."""
        self._events.meet("write", lambda: (self._file.write(content[: len(content) // 2]), self._file.flush()))
        return self._file.write(content)


def forked(work: Callable[[], object], told: Path) -> int:
    """Starts `work` in a forked process and returns its number; its error ends up, as one line, in the file `told`.

    The process ends with 0, with the exit code of gradlab's error, or with 70 for any other.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as in gradlab's own processes: the child calls no thread
        pid = os.fork()
    if pid:
        return pid
    code = CRASHED
    try:
        work()
        code = 0
    except BaseException as error:  # whatever it is, it must not return into the code that forked
        known = isinstance(error, GradlabError | InterruptedRunError)
        code = getattr(error, "exit_code", CRASHED) if known else CRASHED
        told.write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


def end_of(pid: int) -> int:
    """The exit code of a forked process, once it has ended; negative for the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
