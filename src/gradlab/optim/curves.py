"""Optimisers on a surface that can be drawn."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Surface = Callable[[Tensor, Tensor], Tensor]
MakeOptimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


def pathological_curve_loss(w1: Tensor, w2: Tensor) -> Tensor:
    """A narrow ravine along w1 = 0 that falls slowly towards small w2: tanh(w1)^2 + 0.01 |w1| + sigmoid(w2).

    It has no minimum: the infimum 0 lies at w1 = 0, w2 -> -infinity.

    Source: handbook, practical 1, "Optimizer".
    """
    return torch.tanh(w1) ** 2 + 0.01 * torch.abs(w1) + torch.sigmoid(w2)


def train_curve(
    optimizer_func: MakeOptimizer,
    curve_func: Surface = pathological_curve_loss,
    num_updates: int = 100,
    init: Sequence[float] = (5.0, 5.0),
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The path of an optimiser over a surface, [num_updates, 3]: w1, w2 and the loss there, before each update.

    The point that the last update leads to is not part of it.

    Args:
        optimizer_func: makes the optimiser of a list of parameters, such as `lambda params: SGDMomentum(params, 10)`.
        curve_func: the height at (w1, w2).
        num_updates: steps.
        init: the first w1 and w2.

    Source: handbook, practical 1, "Optimizer".
    """
    weights = nn.Parameter(torch.tensor(init, dtype=torch.float32))
    optimizer = optimizer_func([weights])
    points = torch.empty(num_updates, 3)
    for point in points:
        loss = curve_func(weights[0], weights[1])
        point[:2], point[2] = weights.detach(), loss.detach()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return points.numpy()
