"""A gradient by hand.

For x of any shape with n numbers, out = mean of 3 (x + 2)^2 over all of them. Write `gradient_by_hand(x)`, which
returns d out / d x: one number for each number of x, in the shape of x. Differentiate on paper; autograd is not
allowed here. For x = ones(2, 2) every entry is 4.5.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: autograd, the element formula; practicals, introduction: autograd by hand"
WITHOUT = ("backward", "grad", "autograd", "requires_grad_", "requires_grad")
HINTS = (
    "The mean is a sum divided by n, so each number of x appears in one term only.",
    "The chain rule for one term: the outer derivative of 3 y^2 is 6 y, the inner one of y = x + 2 is 1.",
    "`6 * (x + 2) / x.numel()`.",
)


def gradient_by_hand(x: Tensor) -> Tensor:
    """Returns the gradient of mean(3 (x + 2)^2) in the shape of x."""
    ### BEGIN SOLUTION
    return 6 * (x + 2) / x.numel()
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    return {"x": draw.normal(*[(2, 3), (1, 4), (5,), (2, 2, 3), (3, 3), (7, 1)][draw.case])}


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the mean's 1 / n is missing",
            "The mean divides by the number of entries, and so does its derivative.",
            lambda x: 6 * (x + 2),
        ),
        Fault(
            "divided by the rows instead of by all entries",
            "The mean runs over every number of x: `x.numel()`.",
            lambda x: 6 * (x + 2) / len(x),
        ),
        Fault(
            "the factor 2 of the square is missing",
            "d (y^2) / dy = 2 y, times the factor 3.",
            lambda x: 3 * (x + 2) / x.numel(),
        ),
        Fault(
            "the factor 3 is missing", "The factor before the square stays: 3 * 2 y.", lambda x: 2 * (x + 2) / x.numel()
        ),
        Fault("the inner sum is missing", "The outer derivative is taken at y = x + 2.", lambda x: 6 * x / x.numel()),
        Fault(
            "the square is not differentiated",
            "That is the value, not its derivative.",
            lambda x: 3 * (x + 2).square() / x.numel(),
        ),
        Fault(
            "the gradient is summed to one number", "One number for each number of x.", lambda x: (6 * (x + 2)).mean()
        ),
        Fault(
            "the value is returned instead of the gradient",
            "out itself is one number; its gradient has the shape of x.",
            lambda x: (3 * (x + 2).square()).mean(),
        ),
        Fault(
            "the sign is flipped",
            "The gradient points uphill; only the descent step has a minus.",
            lambda x: -6 * (x + 2) / x.numel(),
        ),
        Fault("the inner derivative is not 1", "d (x + 2) / dx = 1, not 2.", lambda x: 12 * (x + 2) / x.numel()),
    ),
)
