"""Rotation matrices.

Write `rotation_matrix(angles)`: for angles [n] in radians the matrices [n, 2, 2] that rotate a column vector (x, y) of
the plane counter-clockwise, x to the right and y upwards.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: matrix_representation"
HINTS = (
    "The first column is where (1, 0) goes, the second where (0, 1) goes.",
    "(1, 0) goes to (cos, sin), and (0, 1) to (-sin, cos).",
    "`torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)`.",
)


def rotation_matrix(angles: Tensor) -> Tensor:
    """Returns the matrices [n, 2, 2] of angles [n] in radians."""
    ### BEGIN SOLUTION
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([torch.stack([cosines, -sines], -1), torch.stack([sines, cosines], -1)], -2)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    return {"angles": draw.uniform(draw.size(1, 4)) * 2 + 0.2}


def _matrix(angles: Tensor, a: float = 1, b: float = -1, c: float = 1, d: float = 1) -> Tensor:
    rows = [a * angles.cos(), b * angles.sin(), c * angles.sin(), d * angles.cos()]
    return torch.stack(rows, -1).reshape(-1, 2, 2)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the rotation is clockwise",
            "The minus stands before the upper right sine.",
            lambda h: _matrix(h, b=1, c=-1),
        ),
        Fault("both sines are positive", "A rotation has one minus: at the upper right.", lambda h: _matrix(h, b=1)),
        Fault("both sines are negative", "A rotation has one minus: at the upper right.", lambda h: _matrix(h, c=-1)),
        Fault(
            "sines and cosines are swapped",
            "The diagonal holds cosines: angle 0 is the identity.",
            lambda h: _matrix(torch.pi / 2 - h),
        ),
        Fault(
            "it is a reflection",
            "The determinant must be 1: the diagonal has twice the same sign.",
            lambda h: _matrix(h, b=1, d=-1),
        ),
        Fault("the angles are taken for degrees", "They are radians already.", lambda h: _matrix(torch.deg2rad(h))),
        Fault("the diagonal is negative", "Angle 0 is the identity.", lambda h: _matrix(h, a=-1, d=-1)),
        Fault("the batch's axis stands last", "[n, 2, 2].", lambda h: _matrix(h).permute(1, 2, 0)),
        Fault("the matrices are flat", "[n, 2, 2].", lambda h: _matrix(h).flatten(1)),
        Fault("rotated twice as far", "The angle itself, not twice the angle.", lambda h: _matrix(2 * h)),
        Fault("only the first angle is used", "A matrix for each angle.", lambda h: _matrix(h[:1])[0]),
    ),
)
