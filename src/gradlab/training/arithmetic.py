"""How this processor computes: in how many threads, by which library, and what a precision costs it.

The last is measured, since what a processor's instructions promise is not always kept.
"""

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gradlab.records import halves_vectors, vendor

SIDE, ROUNDS = 256, 5
FITTING = 1.5
"""From how many times float32's time on, bfloat16 is not worth taking; where a processor has it, it takes half."""


@contextmanager
def computing_threads(count: int) -> Iterator[None]:
    """A context in which torch computes with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def bfloat16_slowdown() -> float:
    """How many times as long as in float32 a product of two matrices takes in bfloat16 on one core of the CPU."""
    with computing_threads(1):
        return _least_seconds(torch.bfloat16) / _least_seconds(torch.float32)


def _least_seconds(dtype: torch.dtype) -> float:
    matrix, product = torch.ones(SIDE, SIDE, dtype=dtype), torch.empty(SIDE, SIDE, dtype=dtype)
    times = []
    for _ in range(1 + ROUNDS):  # the first one chooses kernels
        begin = time.perf_counter()
        torch.mm(matrix, matrix, out=product)
        times.append(time.perf_counter() - begin)
    return min(times[1:])


def bfloat16_helps() -> bool:
    """Whether this CPU computes in bfloat16 about as fast as in float32, or faster."""
    return bfloat16_slowdown() < FITTING


def slow_precision(device: str, precision: str) -> str | None:
    """A warning where the precision is one that the processor has to imitate, else None."""
    if precision != "bfloat16" or torch.device(device).type != "cpu":
        return None
    if bfloat16_helps():
        return None
    return "this processor only imitates bfloat16, many times slower than float32: leave out --precision bfloat16"


@functools.cache
def linear_library() -> str:
    """What multiplies for large linear layers in single precision: "oneDNN" or "torch", always the same on one machine.

    MKL, by which torch's wheels multiply matrices, computes on an AMD processor by instructions of 256 bits; oneDNN
    uses 512 where the processor takes them whole (LOG.md, "linear layers by oneDNN").
    """
    wide = torch.backends.cpu.get_cpu_capability().startswith("AVX512") and not halves_vectors()
    gains = vendor() == "AuthenticAMD" and wide
    able = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return "oneDNN" if gains and able else "torch"
