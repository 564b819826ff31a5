"""L1 and L2 penalties.

Write `penalized_loss(loss, parameters, l1, l2)` for a loss (one number) and a list of parameters of any shape:

    loss + l1 * sum of |w| + l2 * sum of w^2

The sums run over all numbers of all parameters that have more than one axis; biases, which have one, are not
penalised. The result must let gradients flow to the parameters.
"""

from typing import Any

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: L1 regularisation, weight decay; practical 1, part 2"
HINTS = (
    "Start from the loss and add two terms for each parameter with `p.ndim > 1`.",
    "`p.abs().sum()` and `p.square().sum()` are tensors that gradients flow through; `.item()` would cut them off.",
    "`loss + sum(l1 * p.abs().sum() + l2 * p.square().sum() for p in parameters if p.ndim > 1)`.",
)


def penalized_loss(loss: Tensor, parameters: list[Tensor], l1: float, l2: float) -> Tensor:
    """Returns the loss with both penalties, one number.

    Args:
        loss: one number.
        parameters: tensors of any shape.
        l1: weight of the absolute values.
        l2: weight of the squares.
    """
    ### BEGIN SOLUTION
    for p in parameters:
        if p.ndim > 1:
            loss = loss + l1 * p.abs().sum() + l2 * p.square().sum()
    return loss
    ### END SOLUTION


def _probe(penalized: Any, weight: Tensor, bias: Tensor, kernel: Tensor, l1: float, l2: float) -> dict[str, Any]:
    parameters = [tensor.clone().requires_grad_() for tensor in (weight, bias, kernel)]
    loss = (parameters[0].sum() + parameters[1].sum()).square()
    total = penalized(loss, list(parameters), l1, l2)
    value = total.detach().clone()
    if total.requires_grad:
        total.backward()
    return {"loss": value, "gradients": [p.grad for p in parameters]}


def _case(draw: Draw) -> dict[str, Any]:
    rows = draw.size(2, 3)
    return {
        "weight": draw.normal(rows, draw.size(3, 4)),
        "bias": draw.normal(rows),
        "kernel": draw.normal(2, 1, 2, 2),
        "l1": draw.choice((0.1, 0.5, 0.0)),
        "l2": draw.choice((0.2, 0.01, 1.0)),
    }


def _penalty(loss: Tensor, parameters: list[Tensor], l1: float, l2: float, axes: int = 2, mean: bool = False) -> Tensor:
    for p in parameters:
        if p.ndim >= axes:
            loss = loss + (l1 * p.abs().sum() + l2 * p.square().sum()) / (p.numel() if mean else 1)
    return loss


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the biases are penalised as well",
            "Only parameters with more than one axis count.",
            lambda loss, p, a, b: _penalty(loss, p, a, b, axes=1),
        ),
        Fault(
            "the penalties are detached",
            "`.item()`, `.data` and `.detach()` cut the gradients off.",
            lambda loss, p, a, b: loss + (_penalty(loss, p, a, b) - loss).detach(),
        ),
        Fault(
            "the whole loss is detached",
            "`.item()`, `.data` and `.detach()` cut the gradients off.",
            lambda loss, p, a, b: _penalty(loss, p, a, b).detach(),
        ),
        Fault(
            "the penalties are averaged",
            "The sums run over all numbers; nothing is divided.",
            lambda loss, p, a, b: _penalty(loss, p, a, b, mean=True),
        ),
        Fault(
            "the weights are summed without absolute values",
            "Positive and negative weights would cancel: |w|.",
            lambda loss, p, a, b: _penalty(loss, p, 0, b) + a * sum(q.sum() for q in p if q.ndim > 1),
        ),
        Fault(
            "l1 and l2 are swapped",
            "l1 weighs absolute values, l2 squares.",
            lambda loss, p, a, b: _penalty(loss, p, b, a),
        ),
        Fault(
            "the norm instead of its square",
            "The sum of the squares, without a square root.",
            lambda loss, p, a, b: _penalty(loss, p, a, 0) + b * sum(q.norm() for q in p if q.ndim > 1),
        ),
        Fault(
            "half of the squares",
            "l2 * sum of w^2, without the factor 1/2.",
            lambda loss, p, a, b: _penalty(loss, p, a, b / 2),
        ),
        Fault(
            "the penalties are taken off",
            "Large weights make the loss larger.",
            lambda loss, p, a, b: _penalty(loss, p, -a, -b),
        ),
        Fault(
            "only the penalties are returned",
            "The loss itself belongs to the sum.",
            lambda loss, p, a, b: _penalty(loss.new_zeros(()), p, a, b),
        ),
        Fault(
            "only the first parameter is penalised",
            "All parameters with more than one axis count.",
            lambda loss, p, a, b: _penalty(loss, p[:1], a, b),
        ),
        Fault("the L1 penalty is missing", "Both penalties are added.", lambda loss, p, a, b: _penalty(loss, p, 0, b)),
    ),
)
