"""Named random streams: every draw belongs to a seed and a purpose, so no draw depends on another part's draws.

The only file that touches torch's global generator.
"""

import contextlib
import functools
import hashlib
from collections.abc import Iterator, Sequence

import torch


def derive(seed: int, purpose: str) -> int:
    """A seed for one purpose of one seed; different pairs give unrelated streams."""
    digest = hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, purpose: str) -> torch.Generator:
    """A new CPU generator for one purpose of one seed, such as `generator(3, "order 12")`.

    Draws are made on the CPU and moved, so that every device sees the same ones.
    """
    return torch.Generator().manual_seed(derive(seed, purpose))


@contextlib.contextmanager
def global_stream(seed: int, purpose: str) -> Iterator[None]:
    """Runs a block (layers that draw their own initial weights) on a named stream; the global state is put back after.

    CUDA's generators are left alone: modules are built on the CPU.
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(derive(seed, purpose))
    try:
        yield
    finally:
        torch.set_rng_state(before)


def start_step(seed: int, step: int) -> None:
    """Points the global generators at the draws of one training step (dropout): resuming needs no hidden state."""
    _point_to(_number_of_step(seed, step))


def step_generators(seeds: Sequence[int], step: int, device: str) -> list[torch.Generator]:
    """For each seed a generator on a device that draws what the global one draws after `start_step`."""
    return [torch.Generator(device).manual_seed(_number_of_step(seed, step)) for seed in seeds]


def start_stream(seed: int, purpose: str) -> None:
    """Points the global generators, those of devices too, at a named stream, for good."""
    _point_to(derive(seed, purpose))


def _number_of_step(seed: int, step: int) -> int:
    # One hash a seed, then a Weyl sequence: a hash at every step would cost as much as a small layer.
    return (_steps_of(seed) + step * 0x9E3779B97F4A7C15) & (2**63 - 1)


@functools.cache
def _steps_of(seed: int) -> int:
    return derive(seed, "steps")


def _point_to(number: int) -> None:
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)
    elif _has_mps():
        torch.mps.manual_seed(number)


@functools.cache
def _has_mps() -> bool:
    return torch.backends.mps.is_available()
