"""Random numbers for networks that are trained as a stack: each replica's are those that it would draw on its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_batchedtensor

_sources: list[torch.Generator] = []


@contextmanager
def replicas_draw_from(generators: Sequence[torch.Generator]) -> Iterator[None]:
    """A context in which `standard_normal` under `vmap` draws the numbers of replica i from `generators[i]`."""
    before = list(_sources)
    _sources[:] = generators
    try:
        yield
    finally:
        _sources[:] = before


def standard_normal(shape: Sequence[int], like: Tensor) -> Tensor:
    """Numbers of N(0, 1) from torch's global generator, or each replica's from its own in `replicas_draw_from`.

    A network that draws by this function alone can be stacked; it says so with the class attribute
    `keeps_replicas_apart = True`.

    Args:
        shape: of one replica's numbers.
        like: gives type and device, and must depend on the network's weights: that is how replicas are told apart.
    """
    if torch.compiler.is_compiling() or not _sources or not is_batchedtensor(like):
        return torch.randn(shape, dtype=like.dtype, device=like.device)
    return _EachItsOwn.apply(like.detach(), tuple(shape))  # pyright: ignore[reportReturnType]


class _EachItsOwn(torch.autograd.Function):
    """A function for its rule under `vmap`, which runs outside of it, where one replica's numbers can be drawn."""

    @staticmethod
    def forward(like: Tensor, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, dtype=like.dtype, device=like.device)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> tuple[Tensor, int]:
        like, shape = args
        assert info.batch_size == len(_sources), "a generator for each replica"
        about = {"dtype": like.dtype, "device": like.device}
        return torch.stack([torch.randn(shape, generator=source, **about) for source in _sources]), 0
