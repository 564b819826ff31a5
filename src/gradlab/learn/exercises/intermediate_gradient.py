"""The gradient of an intermediate result.

Autograd keeps the gradients of leaves and forgets those of intermediate results unless told otherwise. Write
`intermediate_gradient(x)`: with y = 2 x and out = the sum of y^3, let autograd compute the gradients, and return
d out / d y and d out / d x, both in the shape of x. The x that is handed in records nothing and must have no `.grad`
afterwards: work on a copy of it.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: autograd, retain_grad; slides: autograd"
HINTS = (
    "Make a leaf of your own: `leaf = x.clone().requires_grad_()`.",
    "`y.retain_grad()` before `backward()` keeps the gradient of y; or ask `torch.autograd.grad(out, (y, leaf))`.",
    "`y = 2 * leaf; y.retain_grad(); (y**3).sum().backward(); return y.grad, leaf.grad`.",
)


def intermediate_gradient(x: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """Returns d out / d y and d out / d x for y = 2 x and out = sum of y^3."""
    ### BEGIN SOLUTION
    leaf = x.clone().requires_grad_()
    y = 2 * leaf
    y.retain_grad()
    (y**3).sum().backward()
    return y.grad, leaf.grad
    ### END SOLUTION


def _probe(answer: object, x: Tensor) -> dict[str, object]:
    gradients = answer(x)  # type: ignore[operator]
    return {"gradients": gradients, "x records": x.requires_grad, "x has a gradient": x.grad is not None}


def _case(draw: Draw) -> dict[str, Tensor]:
    return {"x": draw.normal(*[(2,), (3,), (2, 3), (1, 4), (2, 2, 2), (5,)][draw.case])}


def _on_the_input(x: Tensor) -> tuple[Tensor, ...]:
    x.requires_grad_()
    y = 2 * x
    return torch.autograd.grad((y**3).sum(), (y, x))


def _backward_on_the_input(x: Tensor) -> tuple[Tensor | None, Tensor | None]:
    y = 2 * x.requires_grad_()
    y.retain_grad()
    (y**3).sum().backward()
    return y.grad, x.grad


def _by_formula(x: Tensor, outer: float, inner: float) -> tuple[Tensor, Tensor]:
    return outer * (2 * x).square(), inner * (2 * x).square()


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the input is made to record and gets a gradient",
            "Copy it first: `x.clone().requires_grad_()`.",
            _backward_on_the_input,
        ),
        Fault("the input is made to record", "Copy it first: `x.clone().requires_grad_()`.", _on_the_input),
        Fault(
            "the gradient of y was not kept",
            "y is no leaf: call `y.retain_grad()` before `backward()`.",
            lambda x: (None, _by_formula(x, 3, 6)[1]),
        ),
        Fault("both are the gradient of x", "The first is d out / d y = 3 y^2.", lambda x: _by_formula(x, 6, 6)),
        Fault(
            "both are the gradient of y",
            "d out / d x = d out / d y times d y / d x = 2.",
            lambda x: _by_formula(x, 3, 3),
        ),
        Fault("the two gradients are swapped", "First d out / d y, then d out / d x.", lambda x: _by_formula(x, 6, 3)),
        Fault(
            "the gradient was accumulated twice",
            "A second backward adds to `.grad`: once is enough.",
            lambda x: _by_formula(x, 3, 12),
        ),
        Fault(
            "the mean instead of the sum was differentiated",
            "out is the sum of y^3.",
            lambda x: _by_formula(x, 3 / x.numel(), 6 / x.numel()),
        ),
        Fault(
            "the values are returned instead of the gradients",
            "Return what is in `.grad`.",
            lambda x: (2 * x, x.clone()),
        ),
        Fault(
            "y is cut off from x",
            "A `detach` or a new tensor breaks the graph between x and y.",
            lambda x: (_by_formula(x, 3, 6)[0], None),
        ),
    ),
)
