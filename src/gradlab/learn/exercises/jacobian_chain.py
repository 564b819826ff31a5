"""The chain rule with Jacobians.

For a vector x [n] let y = x + 2, z = 3 y^2 (each number by itself) and out = mean(z). Write `jacobian_chain(x)`, which
returns three tensors, computed from their formulas without autograd:

    d out / d z   [n]        the row of the mean
    d z / d y     [n, n]     row i holds the derivatives of z[i]
    d out / d x   [n]        the product of all Jacobians
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: autograd, the Jacobian chain"
WITHOUT = ("backward", "grad", "autograd", "jacobian", "jacrev", "jacfwd", "vjp")
HINTS = (
    "z[i] depends on y[i] alone: what does that say about the entries of its Jacobian off the diagonal?",
    "d out / d z holds 1 / n everywhere; d z / d y is `torch.diag(6 * y)`; d y / d x is the identity.",
    "`row = torch.full_like(x, 1 / len(x))`, `middle = torch.diag(6 * (x + 2))`, and `row @ middle`.",
)


def jacobian_chain(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns d out / d z [n], d z / d y [n, n] and d out / d x [n] for x [n]."""
    ### BEGIN SOLUTION
    row = torch.full_like(x, 1 / len(x))
    middle = torch.diag(6 * (x + 2))
    return row, middle, row @ middle
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    return {"x": draw.normal(draw.size(2, 6))}


def _parts(x: Tensor, factor: float = 6.0) -> tuple[Tensor, Tensor]:
    return torch.full_like(x, 1 / len(x)), torch.diag(factor * (x + 2))


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the mean's 1 / n is missing",
            "d mean / d z[i] = 1 / n for each i.",
            lambda x: (torch.ones_like(x), _parts(x)[1], 6 * (x + 2)),
        ),
        Fault(
            "the Jacobian is only its diagonal",
            "A matrix [n, n] is asked for, zero off the diagonal: `torch.diag`.",
            lambda x: (_parts(x)[0], 6 * (x + 2), 6 * (x + 2) / len(x)),
        ),
        Fault(
            "every row of the Jacobian is full",
            "z[i] does not depend on y[j] for other j: those entries are 0.",
            lambda x: (_parts(x)[0], (6 * (x + 2)).expand(len(x), -1), 6 * (x + 2) / len(x)),
        ),
        Fault(
            "the factor 2 of the square is missing",
            "d (3 y^2) / dy = 6 y.",
            lambda x: (_parts(x)[0], _parts(x, 3)[1], 3 * (x + 2) / len(x)),
        ),
        Fault(
            "the factor 3 is missing",
            "d (3 y^2) / dy = 6 y.",
            lambda x: (_parts(x)[0], _parts(x, 2)[1], 2 * (x + 2) / len(x)),
        ),
        Fault(
            "the derivative is taken at x instead of y",
            "d z / d y is a function of y = x + 2.",
            lambda x: (_parts(x)[0], torch.diag(6 * x), 6 * x / len(x)),
        ),
        Fault(
            "the last product lacks the mean's row",
            "d out / d x multiplies all Jacobians, the mean's too.",
            lambda x: (*_parts(x), 6 * (x + 2)),
        ),
        Fault(
            "the last product is multiplied element by element",
            "A row times a matrix, `@`, gives a row [n].",
            lambda x: (*_parts(x), _parts(x)[0] * _parts(x)[1]),
        ),
        Fault(
            "the chain is summed to one number",
            "d out / d x has one entry for each number of x.",
            lambda x: (*_parts(x), (6 * (x + 2) / len(x)).sum()),
        ),
        Fault(
            "the identity instead of the Jacobian of the square",
            "d y / d x is the identity; d z / d y is not.",
            lambda x: (_parts(x)[0], torch.eye(len(x)), _parts(x)[0]),
        ),
    ),
)
