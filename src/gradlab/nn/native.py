"""Native kernels: compiled for this machine at their first use, where there is a C++ compiler."""

import ctypes
import functools
import hashlib
import multiprocessing
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

SWITCH = "GRADLAB_NATIVE"
"""Environment variable; 0 leaves everything to torch."""
# Not -ffast-math: a library built with it makes the whole process round denormal numbers to zero.
FLAGS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math")
TUNINGS = (("-march=native", "-mprefer-vector-width=512"), ("-march=native",), ())
"""The first that a compiler knows is taken. Wide vectors, where the processor has them, save a sixth of the time."""
COMPILE_SECONDS = 300


class NotBuiltError(Exception):
    """Why there is no kernel."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """C++ that does a piece of work in the place of torch.

    Args:
        source: one file, without dependencies.
        work: what it does, for the warning that it cannot.
        flags: of the compiler, beside those of all kernels.
    """

    source: Path
    work: str
    flags: tuple[str, ...] = ()

    def library(self) -> ctypes.CDLL | None:
        """What was compiled, or None where torch has to do: switched off, no compiler, no place to keep the result.

        The first call that finds none warns, in one line; the processes of a run are silent about it.
        """
        found = None if os.environ.get(SWITCH) == "0" else _loaded(self)
        if isinstance(found, str):
            _warn(f"{self.work} runs in torch, not natively: {found}; {SWITCH}=0 silences this")
            return None
        return found

    def told(self) -> str:
        """What does the work, for the record of a run: "torch", or "native" and a digest of what it is made from.

        Compiles the kernel if that has not happened yet.
        """
        if os.environ.get(SWITCH) == "0" or isinstance(_loaded(self), str):
            return "torch"
        return f"native {_found(self).stem.rpartition('-')[2]}"


def built(kernel: Kernel, folder: Path) -> Path:
    """The path of the compiled kernel under `folder`, compiled now unless it is there.

    Its name holds a digest of all that it was made from, so another source, compiler or processor finds no old result.
    Processes that compile at the same time each finish a file of their own, and the last to put it in place wins.

    Raises:
        NotBuiltError: there is no compiler, or it fails.
        OSError: the folder cannot be written to.
    """
    compiler, failure = _compiler(), None
    for tuning in TUNINGS:
        command = [*compiler, *FLAGS, *kernel.flags, *tuning]
        path = folder / f"{kernel.source.stem}-{_digest(kernel.source, command)}.so"
        if path.is_file():
            return path
        failure = _compile(kernel.source, command, path)
        if failure is None:
            return path
    raise NotBuiltError(f"{compiler[0]} failed: {failure}")


def cache_folder() -> Path:
    """Where compiled kernels are kept: in the user's cache."""
    import pooch

    return Path(pooch.os_cache("gradlab")) / "native"


@functools.cache
def _loaded(kernel: Kernel) -> ctypes.CDLL | str:
    """The library, or why there is none."""
    try:
        return ctypes.CDLL(str(_found(kernel)))
    except (NotBuiltError, OSError) as error:
        return " ".join(str(error).split())[:300]


@functools.cache
def _warn(message: str) -> None:
    if multiprocessing.parent_process() is None:
        warnings.warn(message, stacklevel=3)


@functools.cache
def _found(kernel: Kernel) -> Path:
    return built(kernel, cache_folder())


def _compiler() -> list[str]:
    if sys.platform == "win32":
        raise NotBuiltError("no compiler is looked for on Windows")
    named = shlex.split(os.environ.get("CXX", ""))
    compiler = named or [name for name in ("c++", "g++", "clang++") if shutil.which(name)][:1]
    if not compiler or shutil.which(compiler[0]) is None:
        raise NotBuiltError("no C++ compiler: install one, or name it in CXX")
    return compiler


def _digest(source: Path, command: list[str]) -> str:
    """Of everything that decides what the compiler makes, and whether this processor can run it."""
    parts = (source.read_bytes(), "\n".join(command).encode(), _target(command))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _target(command: list[str]) -> bytes:
    """What the compiler says of itself and of the processor that it compiles for: its predefined macros."""
    asked = [*command, "-E", "-dM", "-x", "c++", os.devnull]
    return subprocess.run(asked, capture_output=True, check=False, timeout=COMPILE_SECONDS).stdout


def _compile(source: Path, command: list[str], path: Path) -> str | None:
    """Compiles a source to `path`; returns the compiler's complaint, None if it has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="building-") as folder:
        made = Path(folder) / path.name
        try:
            told = subprocess.run(
                [*command, str(source), "-o", str(made)],
                capture_output=True,
                text=True,
                check=False,
                timeout=COMPILE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"no result after {COMPILE_SECONDS} s"
        if told.returncode != 0 or not made.is_file():
            return told.stderr.strip() or f"exit code {told.returncode}"
        made.replace(path)
    return None
