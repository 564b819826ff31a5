"""Rotate every point of a grid.

Write `action_on_plane(matrices, grid)` for matrices [n, 2, 2] and a grid of points [2, rows, columns] (grid[:, i, j] is
a point): apply each matrix from the left to every point. The result is [n, rows, columns, 2], as `grid_sample` wants
its grids.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: left_action_on_R2"
HINTS = (
    "out[n, i, j, o] is the sum over the two coordinates p of matrix[n, o, p] * grid[p, i, j].",
    "einsum: name the five axes, and let p be the one that is missing after the arrow.",
    '`torch.einsum("nop,pij->nijo", matrices, grid)`.',
)


def action_on_plane(matrices: Tensor, grid: Tensor) -> Tensor:
    """Returns the moved points [n, rows, columns, 2].

    Args:
        matrices: [n, 2, 2].
        grid: points [2, rows, columns].
    """
    ### BEGIN SOLUTION
    return torch.einsum("nop,pij->nijo", matrices, grid)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    rows = draw.size(2, 4)
    columns = rows if draw.case == 2 else rows + 1
    return {"matrices": draw.normal(draw.size(1, 4), 2, 2), "grid": draw.normal(2, rows, columns)}


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the matrices are applied from the right",
            "Sum over the second index of the matrix.",
            lambda m, g: torch.einsum("npo,pij->nijo", m, g),
        ),
        Fault(
            "rows and columns of the grid are swapped",
            "[n, rows, columns, 2].",
            lambda m, g: torch.einsum("nop,pij->njio", m, g),
        ),
        Fault(
            "the coordinates are not the last axis",
            "[n, rows, columns, 2].",
            lambda m, g: torch.einsum("nop,pij->noij", m, g),
        ),
        Fault("the matrices stand last", "[n, rows, columns, 2].", lambda m, g: torch.einsum("nop,pij->ijon", m, g)),
        Fault(
            "the coordinates are swapped",
            "out[..., 0] is the first coordinate.",
            lambda m, g: torch.einsum("nop,pij->nijo", m, g).flip(-1),
        ),
        Fault(
            "the coordinates of the grid are swapped",
            "grid[0] is the first coordinate.",
            lambda m, g: torch.einsum("nop,pij->nijo", m, g.flip(0)),
        ),
        Fault(
            "only the first matrix is applied",
            "All of them: [n, ...].",
            lambda m, g: torch.einsum("op,pij->ijo", m[0], g),
        ),
        Fault(
            "the matrices are summed",
            "Keep the index n after the arrow.",
            lambda m, g: torch.einsum("nop,pij->ijo", m, g),
        ),
        Fault(
            "only the diagonals count",
            "Two letters, o and p: with one letter they are equal.",
            lambda m, g: torch.einsum("noo,oij->nijo", m, g),
        ),
        Fault(
            "the sum over the coordinates is missing",
            "Leave p out after the arrow.",
            lambda m, g: torch.einsum("nop,pij->nijop", m, g),
        ),
        Fault(
            "the grid is reshaped to put the coordinates last",
            "Move axes with `permute`; `view` scrambles them.",
            lambda m, g: torch.einsum("nop,pij->noij", m, g).reshape(len(m), *g.shape[1:], 2),
        ),
    ),
)
