"""What a learner's code may not do, held by an audit hook, which cannot be taken away once it is set."""

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROCESS = (
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.exec",
    "os.spawn",
    "os.system",
    "subprocess.Popen",
    "pty.spawn",
)
NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "urllib.Request")
MEMORY = ("gc.get_objects", "gc.get_referrers", "gc.get_referents")
NATIVE = ("ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function", "ctypes.cdata")
SIGNALS = ("os.kill", "os.killpg", "signal.pthread_kill")
LIMITS = ("resource.setrlimit", "resource.prlimit")
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink",
           "os.truncate", "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile")  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PLAIN = {
    **dict.fromkeys(PROCESS, "starts another process"),
    **dict.fromkeys(NETWORK, "uses the network"),
    **dict.fromkeys(MEMORY, "searches the memory for other objects"),
    **dict.fromkeys(NATIVE, "calls native code through ctypes"),
    **dict.fromkeys(SIGNALS, "sends a signal to a process"),
    **dict.fromkeys(LIMITS, "changes the limits it runs under"),
    "builtins.input": "asks for input, which nobody is there to give",
}
HARMLESS = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def arm(home: Path, package: Path, stop: Callable[[str], None]) -> None:
    """From now on `stop(reason)` is called at the first thing that is not allowed.

    Args:
        home: the only folder that may be written to.
        package: gradlab's own folder, which may not be read.
        stop: ends the process; must not return.
    """
    places = _Places(os.path.realpath(home), os.path.realpath(package))
    busy = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy:
            return  # what `stop` itself does
        reason = PLAIN.get(event) or places.broken(event, arguments)
        if reason is not None:
            busy = True
            stop(reason)

    sys.addaudithook(hook)
    with contextlib.suppress(ImportError):  # the one way to another process that raises no event; Windows lacks it
        processes: Any = importlib.import_module("_posixsubprocess")
        processes.fork_exec = lambda *_arguments: stop(PLAIN["os.fork"])


class _Places:
    """Judges events that carry a path or a module's name."""

    def __init__(self, home: str, package: str) -> None:
        self.home = home + os.sep
        self.package = package

    def broken(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event == "import":
            name = str(arguments[0])
            return "imports gradlab, where the solutions are" if name.partition(".")[0] == "gradlab" else None
        if event == "open":
            return self._opened(*arguments[:3])
        if event in ("os.listdir", "os.scandir") and self._ours(self._real(arguments[0])):
            return "looks into the folder of the checks"
        if event in CHANGES:
            return next(filter(None, (self._written(path) for path in arguments if _is_path(path))), None)
        return None

    def _opened(self, path: Any, mode: Any, flags: Any) -> str | None:
        if not _is_path(path):
            return None
        writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
        if writes or (mode is None and isinstance(flags, int) and flags & WRITING):
            return self._written(path)
        real = self._real(path)
        process = re.match(r"/proc/(\d+)/", real)
        if process and int(process[1]) != os.getpid():
            return "reads the memory of another process"
        return "reads the checks or the solutions" if self._ours(real) else None

    def _written(self, path: Any) -> str | None:
        real = self._real(path)
        if self._ours(real):
            return "tries to change the checks"
        allowed = real.startswith(self.home) or real in HARMLESS
        return None if allowed else f"writes outside its own folder ({os.path.basename(real)})"  # noqa: PTH119

    def _ours(self, real: str) -> bool:
        return real == self.package or real.startswith(self.package + os.sep)

    def _real(self, path: Any) -> str:
        return os.path.realpath(os.fsdecode(path)) if _is_path(path) else ""


def _is_path(value: Any) -> bool:
    return isinstance(value, str | bytes | os.PathLike)
