"""How similar the features of a batch are to each other, over all processes that train together."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F

VIEWS = 2
_alone = ContextVar("alone", default=False)


def batch_similarities(features: Tensor) -> tuple[Tensor, Tensor]:
    """The cosine of every feature with every feature of the joint batch, and where each one's own column is.

    Args:
        features: [2N, D], view v of image i at v * N + i. Half precision is widened: ranks need its digits.

    Returns:
        Cosines [2N, 2M], -inf where a feature meets itself, and own columns int64 [2N]. M is N times the processes of
        `torch.distributed`; every process has its own rows.
    """
    wide = widened(features)
    with torch.autocast(features.device.type, enabled=False):
        directions = F.normalize(wide, dim=1)
        cosines = directions @ gathered(directions).T
    own = own_columns(features)
    return cosines.masked_fill(own.unsqueeze(1) == torch.arange(cosines.shape[1], device=own.device), -torch.inf), own


def own_columns(features: Tensor) -> Tensor:
    """Where the rows [2N, ...] of this process stand among those of the joint batch, int64 [2N]."""
    images = len(features) // VIEWS
    rows = torch.arange(len(features), device=features.device)
    return rows.div(images, rounding_mode="floor") * processes() * images + rank() * images + rows % images


def gathered(features: Tensor) -> Tensor:
    """The joint batch [2M, ...] of every process's [2N, ...], view after view; itself where there is one process.

    Gradients flow back to every process. What each computes is a mean that is averaged over the processes, as
    DistributedDataParallel does, so that they add up to the gradient of the joint batch.

    Raises:
        ValueError: the rows are not pairs of views.
    """
    if len(features) % VIEWS or not len(features):
        raise ValueError(f"features must be two views of each image, one after the other: got {len(features)} rows")
    if processes() == 1:
        return features
    by_view = from_all_processes(features).unflatten(1, (VIEWS, -1)).transpose(0, 1)
    return by_view.reshape(-1, *features.shape[1:])


def from_all_processes(tensor: Tensor) -> Tensor:
    """Every process's tensor, [processes, ...]; gradients flow back to every process, as `gathered` says."""
    parts = _Gather.apply(tensor.contiguous())
    assert isinstance(parts, Tensor)
    return parts


def widened(features: Tensor) -> Tensor:
    """Features of half precision in single precision; others as they are."""
    return features.float() if features.dtype in (torch.bfloat16, torch.float16) else features


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Runs a block in which this process is the only one: what is measured is measured by each for itself."""
    before = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(before)


def processes() -> int:
    """How many processes train together."""
    if _alone.get():
        return 1
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if processes() > 1 else 0


class _Gather(torch.autograd.Function):
    """Every process's tensor, stacked; torch's own `all_gather` stops gradients."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> Tensor:
        parts = [torch.empty_like(tensors[0]) for _ in range(processes())]
        dist.all_gather(parts, tensors[0])
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        return total[rank()]
