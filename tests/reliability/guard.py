"""Watches what a parser does: code that it starts, files that it writes elsewhere, connections, time, memory."""

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradlab

CODE = frozenset({"exec", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen",
                  "pickle.find_class", "ctypes.dlopen", "socket.connect", "socket.getaddrinfo"})  # fmt: skip
WRITES = {"open": 0, "os.mkdir": 0, "os.rename": 1, "os.remove": 0, "os.symlink": 1, "os.link": 1, "os.chmod": 0,
          "os.truncate": 0, "os.rmdir": 0}  # fmt: skip
"""Events of the interpreter that change files, and which of their arguments says where."""
MEBIBYTE = 1 << 20


class Guard:
    """While something is `watched`, notes whatever it must not do; the interpreter tells, so nothing slips by."""

    def __init__(self, allowed: Path) -> None:
        self.seen: list[str] = []
        self._allowed = str(allowed.resolve())
        self._watching = False
        self.resident = resident()
        sys.addaudithook(self._hear)  # there is no way to take it off again, so it is deaf outside of `watched`

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Listens while the block runs."""
        self._watching = True
        try:
            yield
        finally:
            self._watching = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event in CODE and not _is_own(event, arguments[0]):
            self.seen.append(f"{event} {str(arguments)[:100]}")
        elif event in WRITES:
            if event == "open" and not _writes(arguments):
                return
            path = _place(arguments, WRITES[event])
            if path and not path.startswith(self._allowed):
                self.seen.append(f"{event} {path}")


def resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def forget_peak() -> None:
    """Lets `peak` start anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The most bytes of memory that this process had since `forget_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise OSError("this system does not tell the peak of memory")


class Limits:
    """The longest time and the most memory of many calls; processor time, for other programs may be busy."""

    def __init__(self, before: int | None = None) -> None:
        self.longest_seconds = 0.0
        self._before = resident() if before is None else before
        forget_peak()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Measures one call."""
        begin = time.process_time()
        try:
            yield
        finally:
            self.longest_seconds = max(self.longest_seconds, time.process_time() - begin)

    def growth(self) -> int:
        """Mebibytes above the beginning, at the highest point."""
        return max(0, peak() - self._before) // MEBIBYTE


def _is_own(event: str, code: Any) -> bool:
    """Whether code that starts is a module of Python, of a package or of gradlab: nothing that an input can bring."""
    if event == "ctypes.dlopen":
        return code is None  # this very process
    roots = (sys.base_prefix, sys.prefix, str(Path(gradlab.__file__).parent), "<frozen")
    return getattr(code, "co_name", "") == "<module>" and str(code.co_filename).startswith(roots)


def _place(arguments: tuple[Any, ...], which: int) -> str:
    """The absolute path of an event's target; its last argument may be the folder that the path is relative to."""
    target, folder = arguments[which], arguments[-1]
    if not isinstance(target, (str, bytes, os.PathLike)):
        return ""
    path = Path(os.fsdecode(target))
    if isinstance(folder, int) and folder > 2 and not path.is_absolute():
        path = Path(f"/proc/self/fd/{folder}").readlink() / path
    return str(path.absolute())


def _writes(arguments: tuple[Any, ...]) -> bool:
    _path, mode, flags = arguments
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
