"""The native kernel: compiled for this machine at its first use, where there is a C++ compiler."""

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gradlab.records import processor_name

SWITCH = "GRADLAB_NATIVE"
"""Environment variable; 0 leaves everything to torch."""
SOURCE = Path(__file__).with_name("kernel.cpp")
# Not -ffast-math: a library built with it makes the whole process round denormal numbers to zero. Without contraction
# the places of a crop are rounded as torch rounds them.
FLAGS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
TUNINGS = (("-march=native", "-mprefer-vector-width=512"), ("-march=native",), ())
"""The first that a compiler knows is taken. Wide vectors, where the processor has them, save a sixth of the time."""
COMPILE_SECONDS = 300


class Stages(ctypes.Structure):
    """The kernel's struct of the same name: where the numbers of each stage lie, null for a stage left out."""

    _fields_ = (
        ("mirrored", ctypes.c_void_p),
        ("rectangles", ctypes.c_void_p),
        ("factors", ctypes.c_void_p),
        ("turns", ctypes.c_void_p),
        ("order", ctypes.c_void_p),
        ("greyed", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("radius", ctypes.c_int64),
        ("scale", ctypes.c_void_p),
        ("shift", ctypes.c_void_p),
    )


class NotBuiltError(Exception):
    """Why there is no kernel."""


def native_augmentation() -> str:
    """What makes the views of a `FusedPipeline` on the processor, for the record of a run.

    "native" and the digest of the kernel's source, compiler and processor, or "torch". The two agree to 1e-5, not to
    the bit. Compiles the kernel if that has not happened yet.
    """
    return "torch" if kernel() is None else f"native {_found().stem.rpartition('-')[2]}"


def kernel() -> Callable[..., Any] | None:
    """The kernel's function, or None where torch has to do: switched off, no compiler, no place to keep the result.

    The first call that finds none warns, in one line; the processes of a run are silent about it.
    """
    return None if os.environ.get(SWITCH) == "0" else _loaded()


def built(folder: Path) -> Path:
    """The path of the compiled kernel under `folder`, compiled now unless it is there.

    Its name holds a digest of all that it was made from, so another source, compiler or processor finds no old result.
    Processes that compile at the same time each finish a file of their own, and the last to put it in place wins.

    Raises:
        NotBuiltError: there is no compiler, or it fails.
        OSError: the folder cannot be written to.
    """
    compiler, failure = _compiler(), None
    for tuning in TUNINGS:
        command = [*compiler, *FLAGS, *tuning]
        path = folder / f"augment-{_digest(command)}.so"
        if path.is_file():
            return path
        failure = _compile(command, path)
        if failure is None:
            return path
    raise NotBuiltError(f"{compiler[0]} failed: {failure}")


def cache_folder() -> Path:
    """Where compiled kernels are kept: in the user's cache."""
    import pooch

    return Path(pooch.os_cache("gradlab")) / "native"


@functools.cache
def _loaded() -> Callable[..., Any] | None:
    try:
        function = ctypes.CDLL(str(_found())).gradlab_augment
    except (NotBuiltError, OSError) as error:
        if multiprocessing.parent_process() is None:
            reason = " ".join(str(error).split())[:300]
            warnings.warn(f"augmentation runs in torch, not natively: {reason}; {SWITCH}=0 silences this", stacklevel=2)
        return None
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 6, ctypes.POINTER(Stages)]
    function.restype = None
    return function


@functools.cache
def _found() -> Path:
    return built(cache_folder())


def _compiler() -> list[str]:
    if sys.platform == "win32":
        raise NotBuiltError("no compiler is looked for on Windows")
    named = shlex.split(os.environ.get("CXX", ""))
    compiler = named or [name for name in ("c++", "g++", "clang++") if shutil.which(name)][:1]
    if not compiler or shutil.which(compiler[0]) is None:
        raise NotBuiltError("no C++ compiler: install one, or name it in CXX")
    return compiler


def _digest(command: list[str]) -> str:
    """Of everything that decides what the compiler makes, and whether this processor can run it."""
    version = subprocess.run([command[0], "--version"], capture_output=True, check=False, timeout=COMPILE_SECONDS)
    machine = f"{processor_name()}\n{torch.backends.cpu.get_cpu_capability()}"
    parts = (SOURCE.read_bytes(), "\n".join(command).encode(), version.stdout, machine.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _compile(command: list[str], path: Path) -> str | None:
    """Compiles the kernel to `path`; returns the compiler's complaint, None if it has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="building-") as folder:
        made = Path(folder) / path.name
        try:
            told = subprocess.run(
                [*command, str(SOURCE), "-o", str(made)],
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
