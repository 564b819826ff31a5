"""The grids of a lifting kernel.

A lifting convolution needs its kernel turned by every group element h. The turned kernel is L_h k(x) = k(h^-1 x), so
its values are read where h^-1 takes the grid. Write `lifted_grids(order, size)` for the cyclic group of `order`
rotations and a kernel of size x size: points [order, size, size, 2]. The untouched grid has first coordinates
`torch.linspace(-1, 1, size)` along its rows and second coordinates likewise along its columns (`indexing="ij"`), and
element h is the counter-clockwise rotation by 2 pi h / order.
"""

import math

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: LiftingKernelBase, create_transformed_grid_R2"
HINTS = (
    "Three steps: the grid [2, size, size], the matrices of the inverse rotations, and their product.",
    "The inverse of a rotation by an angle is the rotation by minus that angle.",
    'grid = stack(meshgrid(line, line, indexing="ij")); einsum("nop,pij->nijo", matrices(-angles), grid).',
)


def lifted_grids(order: int, size: int) -> Tensor:
    """Returns the grid turned back by every element [order, size, size, 2].

    Args:
        order: number of rotations.
        size: weights of a kernel's side.
    """
    ### BEGIN SOLUTION
    line = torch.linspace(-1, 1, size)
    grid = torch.stack(torch.meshgrid(line, line, indexing="ij"))
    angles = -2 * math.pi * torch.arange(order) / order
    cosines, sines = angles.cos(), angles.sin()
    matrices = torch.stack([cosines, -sines, sines, cosines], -1).reshape(order, 2, 2)
    return torch.einsum("nop,pij->nijo", matrices, grid)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, int]:
    return {"order": draw.choice((4, 6, 3, 8)), "size": draw.size(3, 5)}


def _grids(order: int, size: int, turn: float = -1.0, indexing: str = "ij", reach: float = 1.0) -> Tensor:
    line = torch.linspace(-reach, reach, size)
    grid = torch.stack(torch.meshgrid(line, line, indexing=indexing))
    angles = turn * 2 * math.pi * torch.arange(order) / order
    cosines, sines = angles.cos(), angles.sin()
    matrices = torch.stack([cosines, -sines, sines, cosines], -1).reshape(order, 2, 2)
    return torch.einsum("nop,pij->nijo", matrices, grid)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the elements are not inverted", "L_h k(x) = k(h^-1 x): turn the grid back.", lambda n, s: _grids(n, s, 1.0)
        ),
        Fault("the grid's axes are swapped", 'meshgrid with indexing="ij".', lambda n, s: _grids(n, s, indexing="xy")),
        Fault("half of every angle", "Element h turns by 2 pi h / order.", lambda n, s: _grids(n, s, -0.5)),
        Fault(
            "the identity is missing",
            "Element 0 is the identity, its grid untouched.",
            lambda n, s: _grids(n, s).roll(-1, 0),
        ),
        Fault(
            "the angles reach the full turn",
            "2 pi is 0 again: divide by order, not by order - 1.",
            lambda n, s: _grids(n, s, -n / (n - 1)),
        ),
        Fault("the coordinates are those of pixels", "From -1 to 1.", lambda n, s: _grids(n, s, reach=(s - 1) / 2)),
        Fault(
            "the coordinates are not the last axis",
            "[order, size, size, 2].",
            lambda n, s: _grids(n, s).permute(0, 3, 1, 2),
        ),
        Fault("the grid is not turned at all", "One turned grid for each element.", lambda n, s: _grids(n, s, 0.0)),
        Fault(
            "the coordinates are swapped",
            "The first coordinate comes first. Axes swapped and elements not inverted look the same.",
            lambda n, s: _grids(n, s).flip(-1),
        ),
        Fault("only one grid", "A grid for each element: [order, ...].", lambda n, s: _grids(n, s)[0]),
    ),
)
