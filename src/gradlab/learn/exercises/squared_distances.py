"""Distances of all pairs, without a loop.

Write `squared_distances(a, b)` for points a [n, d] and b [m, d]: the matrix [n, m] of squared Euclidean distances,
entry (i, j) between a[i] and b[j]. Give the tensors axes of length 1 where they need them, and broadcasting does
the rest.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practicals, introduction: tensor operations; slides: tensor math"
WITHOUT = ("cdist", "pairwise_distance", "pdist")
HINTS = (
    "All differences form a tensor [n, m, d]. Which shapes must a and b have so that they broadcast to it?",
    "`a[:, None]` is [n, 1, d] and `b[None]` is [1, m, d].",
    "`(a[:, None] - b[None]).square().sum(-1)`.",
)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Returns the squared distances [n, m] of points a [n, d] and b [m, d]."""
    ### BEGIN SOLUTION
    return (a[:, None] - b[None]).square().sum(-1)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    dimension = draw.size(2, 5)
    return {"a": draw.normal(draw.size(3, 6), dimension), "b": draw.normal(draw.size(4, 7), dimension)}


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the distances are not squared",
            "Leave the square root away.",
            lambda a, b: (a[:, None] - b[None]).square().sum(-1).sqrt(),
        ),
        Fault(
            "rows and columns are swapped",
            "Entry (i, j) belongs to a[i] and b[j]: [n, m].",
            lambda a, b: (b[:, None] - a[None]).square().sum(-1),
        ),
        Fault(
            "the coordinates are averaged instead of summed",
            "A distance sums over the coordinates.",
            lambda a, b: (a[:, None] - b[None]).square().mean(-1),
        ),
        Fault(
            "absolute differences instead of squares",
            "Square each difference.",
            lambda a, b: (a[:, None] - b[None]).abs().sum(-1),
        ),
        Fault(
            "the sum is squared instead of the differences",
            "First square, then sum over the coordinates.",
            lambda a, b: (a[:, None] - b[None]).sum(-1).square(),
        ),
        Fault(
            "the sum runs over the points instead of the coordinates",
            "Sum over the last axis, of length d.",
            lambda a, b: (a[:, None] - b[None]).square().sum(1),
        ),
        Fault(
            "the inner product instead of the distance",
            "|a - b|^2 = |a|^2 + |b|^2 - 2 ab: the squares are missing.",
            lambda a, b: a @ b.T,
        ),
        Fault(
            "the factor 2 of the mixed term is missing",
            "|a - b|^2 = |a|^2 + |b|^2 - 2 ab.",
            lambda a, b: a.square().sum(1)[:, None] + b.square().sum(1) - a @ b.T,
        ),
        Fault(
            "the mixed term has the wrong sign",
            "|a - b|^2 = |a|^2 + |b|^2 - 2 ab.",
            lambda a, b: (a[:, None] + b[None]).square().sum(-1),
        ),
        Fault(
            "the coordinates are not summed",
            "One number a pair is asked for: [n, m].",
            lambda a, b: (a[:, None] - b[None]).square(),
        ),
    ),
)
