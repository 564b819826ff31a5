"""Steps along orthogonal matrices, for the filters of convolutions; along momentum for everything else."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from gradlab.optim.momentum import OptimizerTemplate

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the fifth-degree polynomial, steep at 0, that Newton-Schulz iterations apply to the singular values."""


class Muon(OptimizerTemplate):
    """Momentum orthogonalised by Newton-Schulz, w <- sqrt(outputs) w / |w| - lr orthogonalised(m), for filters.

    m <- momentum m + g is Nesterov's: the step takes g + momentum m. A group whose `filters` is False takes plain
    Nesterov steps of that with weight decay, as `torch.optim.SGD(nesterov=True)` does; if it says `freeze_after`, its
    rate falls linearly to 0 over so many steps. Filters with a leading axis, [replicas, outputs, inputs, height,
    width], are so many separate filters.

    Args:
        params: filters [outputs, inputs, height, width], or groups of parameters as torch.optim takes them.
        lr: learning rate.
        momentum: share of the old average, in [0, 1).
        weight_decay: added to gradients, times the parameter; of groups that are no filters.
        iterations: of Newton-Schulz.
        filters: whether the parameters of a group are filters.
        freeze_after: steps until the parameters of a group stand still; 0 for never.

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the weights' norm and the
    iterations: Jordan's `airbench94_muon.py`.
    Differs from that script: arithmetic is of the parameters' precision, where that orthogonalises in bfloat16.

    Raises:
        ValueError: a setting is out of range, or a filter has other axes.
    """

    keeps_replicas_apart = True  # filters are orthogonalised one replica at a time

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        momentum: float = 0.6,
        *,
        weight_decay: float = 0.0,
        iterations: int = 3,
        filters: bool = True,
        freeze_after: int = 0,
    ) -> None:
        if not 0 <= momentum < 1 or weight_decay < 0 or iterations < 1 or freeze_after < 0:
            raise ValueError(
                "momentum must lie in [0, 1), weight_decay and freeze_after be at least 0, iterations at least 1: got "
                f"{momentum}, {weight_decay}, {freeze_after}, {iterations}"
            )
        settings = {"momentum": momentum, "weight_decay": weight_decay, "iterations": iterations, "filters": filters}
        super().__init__(params, lr, **settings, freeze_after=freeze_after)
        for parameter in (p for group in self.param_groups if group["filters"] for p in group["params"]):
            if parameter.ndim not in (4, 5):
                raise ValueError(f"filters must be [outputs, inputs, height, width]: got {list(parameter.shape)}")

    def update_param(self, p: Tensor) -> None:
        """Moves one parameter."""
        assert p.grad is not None
        group, state = self.group, self.state[p]
        if not state:
            state["momentum"], state["steps"] = torch.zeros_like(p), 0
        gradient = p.grad if group["filters"] else p.grad.add(p, alpha=group["weight_decay"])
        state["momentum"].mul_(group["momentum"]).add_(gradient)
        step = gradient.add(state["momentum"], alpha=group["momentum"])
        if group["filters"]:
            norms = torch.linalg.vector_norm(p, dim=(-4, -3, -2, -1), keepdim=True)
            p.mul_(p.shape[-4] ** 0.5 / norms)
            step = orthogonalised(step.flatten(-3), group["iterations"]).view_as(p)
        frozen = state["steps"] / group["freeze_after"] if group["freeze_after"] else 0.0
        p.sub_(step, alpha=self.lr * max(0.0, 1 - frozen))
        state["steps"] += 1


def orthogonalised(matrices: Tensor, iterations: int = 3) -> Tensor:
    """About U V^T for each matrix U S V^T of [..., rows, columns]: singular values are drawn towards 1, from any scale.

    Args:
        matrices: one or more.
        iterations: of x -> a x + b x^3 + c x^5 on the singular values; five bring all that matter into [0.7, 1.2].

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the iteration: Bernstein and
    Newhouse 2024, "Old optimizer, new norm", appendix A.
    """
    a, b, c = COEFFICIENTS
    wide = matrices if matrices.shape[-2] <= matrices.shape[-1] else matrices.mT
    wide = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7)
    for _ in range(iterations):
        square = wide @ wide.mT
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide if matrices.shape[-2] <= matrices.shape[-1] else wide.mT
