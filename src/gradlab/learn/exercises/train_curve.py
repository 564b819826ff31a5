"""The path of an optimiser.

Write `train_curve(optimizer_func, curve_func, num_updates, init)`: start with one parameter of two numbers `init`, make
the optimiser with `optimizer_func([weights])`, and take `num_updates` steps on `curve_func(w1, w2)`. Return a tensor
[num_updates, 3]: row t holds both weights at step t, before the step is taken, and the loss there.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import Descent

SOURCE = "practical 1, part 1: train_curve"
HINTS = (
    "In each round: the loss, a row with copies of both weights and the loss, then zero_grad, backward and step.",
    "A tensor that is stored without a copy changes when the optimiser changes the weights: detach and clone.",
    "`rows.append(torch.cat([weights.detach().clone(), loss.detach().reshape(1)]))`; at the end `torch.stack(rows)`.",
)


def train_curve(
    optimizer_func: Callable[[list[nn.Parameter]], Any],
    curve_func: Callable[[Tensor, Tensor], Tensor],
    num_updates: int = 100,
    init: Sequence[float] = (5.0, 5.0),
) -> Tensor:
    """Returns the weights before each step and the loss there [num_updates, 3].

    Args:
        optimizer_func: makes an optimiser (zero_grad, step) of a list of parameters.
        curve_func: the loss of two weights.
        num_updates: steps.
        init: both weights at the start.
    """
    weights = nn.Parameter(torch.tensor(init, dtype=torch.float32))
    optimizer = optimizer_func([weights])
    ### BEGIN SOLUTION
    rows = []
    for _ in range(num_updates):
        loss = curve_func(weights[0], weights[1])
        rows.append(torch.cat([weights.detach().clone(), loss.detach().reshape(1)]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack(rows)
    ### END SOLUTION


def _probe(train: Any, lr: float, num_updates: int, init: list[float]) -> Tensor:
    return train(lambda params: Descent(params, lr), _valley, num_updates, init)


def _valley(w1: Tensor, w2: Tensor) -> Tensor:
    return torch.tanh(w1) ** 2 + 0.1 * torch.abs(w1) + torch.sigmoid(w2)


def _case(draw: Draw) -> dict[str, object]:
    start = [draw.whole(-20, 20) / 10, draw.whole(1, 30) / 10]
    return {"lr": draw.choice((0.5, 1.0, 2.0)), "num_updates": draw.size(3, 8), "init": start}


def _path(
    optimizer_func: Any, curve: Any, num_updates: int, init: Any, clear: bool = True, late: bool = False, more: int = 0
) -> Tensor:
    weights = nn.Parameter(torch.tensor(init))
    optimizer = optimizer_func([weights])
    rows = []
    for _ in range(num_updates + more):
        loss = curve(*weights)
        before = weights.detach().clone()
        if clear:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rows.append(torch.cat([weights.detach().clone() if late else before, loss.detach()[None]]))
    return torch.stack(rows)


def _aliased(optimizer_func: Any, curve: Any, num_updates: int, init: Any) -> Tensor:
    rows = _path(optimizer_func, curve, num_updates + 1, init)
    return torch.cat([rows[-1:, :2].expand(num_updates, 2), rows[:-1, 2:]], 1)


def _after(optimizer_func: Any, curve: Any, num_updates: int, init: Any) -> Tensor:
    return _path(optimizer_func, curve, num_updates + 1, init)[1:]


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the stored weights change with the optimiser",
            "Every row shows the last weights: the same tensor was stored each time. Store a copy, `.clone()`.",
            _aliased,
        ),
        Fault(
            "the gradients are not cleared",
            "backward adds to what is there: `optimizer.zero_grad()` in each round.",
            lambda o, c, n, i: _path(o, c, n, i, clear=False),
        ),
        Fault(
            "the weights are stored after the step",
            "A row holds the weights that the loss in it was computed from.",
            lambda o, c, n, i: _path(o, c, n, i, late=True),
        ),
        Fault("the first row is missing", "The first row shows the start, before any step.", _after),
        Fault(
            "there is a row too many",
            "One row a step: num_updates rows.",
            lambda o, c, n, i: _path(o, c, n, i, more=1),
        ),
        Fault(
            "there is a row too few",
            "One row a step: num_updates rows.",
            lambda o, c, n, i: _path(o, c, n, i, more=-1),
        ),
        Fault(
            "the loss is missing from the rows",
            "Three numbers a row: both weights and the loss.",
            lambda o, c, n, i: _path(o, c, n, i)[:, :2],
        ),
        Fault(
            "the weights never change",
            "backward and `optimizer.step()` in each round.",
            lambda o, c, n, i: _path(lambda p: Descent(p, 0.0), c, n, i),
        ),
        Fault(
            "the loss stands before the weights",
            "The order is w1, w2, loss.",
            lambda o, c, n, i: _path(o, c, n, i).roll(1, 1),
        ),
        Fault(
            "w1 and w2 are swapped in the loss",
            "The curve takes w1 first.",
            lambda o, c, n, i: _path(o, lambda a, b: c(b, a), n, i),
        ),
        Fault("the rows are transposed", "A row for each step.", lambda o, c, n, i: _path(o, c, n, i).T),
    ),
)
