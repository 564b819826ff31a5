"""The native kernel of augmentation."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradlab.nn.native import Kernel

# Without contraction the places of a crop are rounded as torch rounds them.
KERNEL = Kernel(Path(__file__).with_name("kernel.cpp"), "augmentation", ("-ffp-contract=off",))


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


def native_augmentation() -> str:
    """What makes the views of a `FusedPipeline` on the processor, for the record of a run.

    "native" and the digest of the kernel's source, compiler and processor, or "torch". The two agree to 1e-5, not to
    the bit. Compiles the kernel if that has not happened yet.
    """
    return KERNEL.told()


def kernel() -> Callable[..., Any] | None:
    """The kernel's function, or None where torch has to do; see `gradlab.nn.native.Kernel`."""
    library = KERNEL.library()
    if library is None:
        return None
    function = library.gradlab_augment
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 6, ctypes.POINTER(Stages)]
    function.restype = None
    return function
