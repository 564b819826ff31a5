"""Named random streams: every draw belongs to a seed and a purpose, so no draw depends on another part's draws.

The only file that touches torch's global generator.
"""

import contextlib
import hashlib
from collections.abc import Iterator

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
    start_stream(seed, f"step {step}")


def start_stream(seed: int, purpose: str) -> None:
    """Points the global generators, CUDA's too, at a named stream, for good."""
    number = derive(seed, purpose)
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)
