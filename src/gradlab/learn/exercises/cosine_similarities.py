"""Cosine similarities of all pairs.

Write `cosine_similarities(z)` for vectors z [n, d], none of them zero: the matrix [n, n] whose entry (i, j) is the
inner product of z[i] and z[j] divided by the product of their lengths. It must not build a tensor [n, n, d].
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 5: the similarity of InfoNCE"
WITHOUT = ("cosine_similarity", "CosineSimilarity")
HINTS = (
    "Make every vector a unit vector first; then inner products are cosines.",
    "`z / z.norm(dim=1, keepdim=True)`: one length a row, with its axis kept.",
    "`unit = z / z.norm(dim=1, keepdim=True)`, `unit @ unit.T`.",
)


def cosine_similarities(z: Tensor) -> Tensor:
    """Returns the cosines [n, n] of vectors z [n, d]."""
    ### BEGIN SOLUTION
    unit = z / z.norm(dim=1, keepdim=True)
    return unit @ unit.T
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    n = draw.size(2, 6)
    d = n if draw.case == 2 else draw.size(3, 5)
    return {"z": draw.normal(n, d) + 0.2}


def _cosines(z: Tensor) -> Tensor:
    return torch.nn.functional.normalize(z) @ torch.nn.functional.normalize(z).T


CHECK = Check(
    case=_case,
    faults=(
        Fault("the vectors are not normalised", "Divide by their lengths.", lambda z: z @ z.T),
        Fault(
            "the columns are normalised",
            "A vector is a row: the length runs over axis 1.",
            lambda z: (z / z.norm(dim=0)) @ (z / z.norm(dim=0)).T,
        ),
        Fault(
            "divided by the squared lengths of both",
            "The length is the root of the sum of squares.",
            lambda z: (z / z.square().sum(1, keepdim=True)) @ (z / z.square().sum(1, keepdim=True)).T,
        ),
        Fault(
            "all are divided by the length of everything",
            "Each row has a length of its own.",
            lambda z: (z @ z.T) / z.norm() ** 2,
        ),
        Fault(
            "only one of the two vectors is normalised",
            "Divide by both lengths.",
            lambda z: (z / z.norm(dim=1, keepdim=True)) @ z.T,
        ),
        Fault(
            "the coordinates are compared instead of the vectors",
            "[n, n]: rows with rows, `unit @ unit.T`.",
            lambda z: (z / z.norm(dim=1, keepdim=True)).T @ (z / z.norm(dim=1, keepdim=True)),
        ),
        Fault(
            "the vectors are centred first",
            "That is a correlation: no mean is taken off.",
            lambda z: (
                torch.nn.functional.normalize(z - z.mean(1, keepdim=True))
                @ torch.nn.functional.normalize(z - z.mean(1, keepdim=True)).T
            ),
        ),
        Fault(
            "sums of absolute values as lengths",
            "The Euclidean length: the root of the sum of squares.",
            lambda z: (z / z.abs().sum(1, keepdim=True)) @ (z / z.abs().sum(1, keepdim=True)).T,
        ),
        Fault(
            "the diagonal is taken out",
            "It holds ones: nothing is masked here.",
            lambda z: _cosines(z) * (1 - torch.eye(len(z))),
        ),
        Fault("distances instead of similarities", "1 - cosine is a distance.", lambda z: 1 - _cosines(z)),
        Fault(
            "the angles themselves", "The cosine of the angle is asked for.", lambda z: _cosines(z).clamp(-1, 1).acos()
        ),
    ),
)
