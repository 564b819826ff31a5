"""One step of gradient descent.

Write `descent_step(parameters, loss, lr)` for a list of leaf tensors and a loss that was computed from them: compute
the gradients of the loss, move every parameter by lr against its gradient, in place, and leave no gradient behind
(`.grad` is None), so that the next step does not add to it. Gradients that are left over from before must not count.
The step itself must not be recorded. It returns nothing.
"""

from typing import Any

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: gradient descent (whose formula shows a plus), iterative training; cheat-sheet: zero_grad"
HINTS = (
    "Four things: forget old gradients, backward, change the parameters, forget the gradients again.",
    "A leaf may be changed in place under `with torch.no_grad():` only.",
    "`p.grad = None` for each p; `loss.backward()`; under no_grad `p -= lr * p.grad` and `p.grad = None`.",
)


def descent_step(parameters: list[Tensor], loss: Tensor, lr: float) -> None:
    """Moves the parameters one step down the loss.

    Args:
        parameters: leaves that require gradients; changed in place.
        loss: one number, computed from them.
        lr: learning rate.
    """
    ### BEGIN SOLUTION
    for p in parameters:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            if p.grad is not None:
                p -= lr * p.grad
            p.grad = None
    ### END SOLUTION


def _probe(step: Any, weight: Tensor, bias: Tensor, x: Tensor, lr: float) -> dict[str, Any]:
    parameters = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
    for p in parameters:
        p.grad = torch.ones_like(p)
    before = list(parameters)
    path = []
    for _ in range(3):
        step(parameters, (x @ parameters[0] + parameters[1]).square().mean(), lr)
        path.append(torch.cat([p.detach().reshape(-1) for p in before]).clone())
    return {
        "parameters after each step": torch.stack(path),
        "gradients left behind": [None if p.grad is None else p.grad.clone() for p in before],
        "still leaves that record": all(p.is_leaf and p.requires_grad for p in before),
    }


def _case(draw: Draw) -> dict[str, Any]:
    size = draw.size(2, 4)
    return {"weight": draw.normal(size), "bias": draw.normal(1), "x": draw.normal(draw.size(3, 5), size),
            "lr": draw.choice((0.1, 0.05, 0.2))}  # fmt: skip


def _step(
    parameters: list[Tensor], loss: Tensor, lr: float, sign: float = -1, before: bool = True, after: bool = True,
    kept: bool = False,
) -> None:  # fmt: skip
    for p in parameters:
        p.grad = None if before else p.grad
    loss.backward()
    for p in parameters:
        gradient = torch.zeros_like(p) if p.grad is None else p.grad
        if kept:
            p.data.mul_(1 - lr)
        p.data.add_(sign * lr * gradient)
        p.grad = None if after else p.grad


def _recorded(parameters: list[Tensor], loss: Tensor, lr: float) -> None:
    loss.backward()
    parameters[0] -= lr * torch.ones_like(parameters[0])


def _rebinds(parameters: list[Tensor], loss: Tensor, lr: float) -> None:
    loss.backward()
    for p in parameters:
        p.grad = None


def _zeroed(parameters: list[Tensor], loss: Tensor, lr: float) -> None:
    _step(parameters, loss, lr)
    for p in parameters:
        p.grad = torch.zeros_like(p)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the step goes uphill",
            "The gradient points uphill: take lr times it off.",
            lambda p, loss, lr: _step(p, loss, lr, sign=1),
        ),
        Fault(
            "gradients of the step before are added",
            "`backward` adds to `.grad`: forget the old gradients first.",
            lambda p, loss, lr: _step(p, loss, lr, before=False, after=False),
        ),
        Fault(
            "gradients from before the first step count",
            "Forget old gradients before `backward`, not only after it.",
            lambda p, loss, lr: _step(p, loss, lr, before=False),
        ),
        Fault(
            "the gradients are left behind",
            "Set `p.grad = None` after the step.",
            lambda p, loss, lr: _step(p, loss, lr, after=False),
        ),
        Fault("the gradients are zero instead of gone", "`p.grad = None` is asked for.", _zeroed),
        Fault("the step is recorded by autograd", "Change parameters under `with torch.no_grad():`.", _recorded),
        Fault("the parameters do not change", "`p = p - ...` only renames: write `p -= ...` under no_grad.", _rebinds),
        Fault(
            "the learning rate is missing",
            "The step is lr times the gradient.",
            lambda p, loss, lr: _step(p, loss, lr, sign=-1 / lr),
        ),
        Fault(
            "the parameters shrink as well",
            "The step takes off lr times the gradient and nothing else.",
            lambda p, loss, lr: _step(p, loss, lr, kept=True),
        ),
        Fault(
            "only the first parameter is moved",
            "Every parameter of the list takes a step.",
            lambda p, loss, lr: (_step(p[:1], loss, lr), setattr(p[1], "grad", None)),
        ),
    ),
)
