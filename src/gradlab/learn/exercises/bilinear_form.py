"""A sum over two indices with einsum.

Write `bilinear_form(x, weight, y)` for x [batch, n], weight [k, n, m] and y [batch, m]:

    out[b, k] = sum over i and j of  x[b, i] * weight[k, i, j] * y[b, j]

The result is [batch, k]. Each sample meets only itself.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practicals, introduction: matmul, bmm and einsum"
HINTS = (
    "Give each index a letter: batch b, outputs k, and i and j, over which is summed.",
    "In einsum an index that is missing after the arrow is summed over.",
    '`torch.einsum("bi,kij,bj->bk", x, weight, y)`.',
)


def bilinear_form(x: Tensor, weight: Tensor, y: Tensor) -> Tensor:
    """Returns [batch, k] from x [batch, n], weight [k, n, m] and y [batch, m]."""
    ### BEGIN SOLUTION
    return torch.einsum("bi,kij,bj->bk", x, weight, y)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    batch, outputs = draw.size(2, 5), draw.size(3, 4)
    n = m = draw.size(2, 4)
    if draw.case % 2:
        m = n + 1
    return {"x": draw.normal(batch, n), "weight": draw.normal(outputs, n, m), "y": draw.normal(batch, m)}


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the result is transposed",
            "The batch comes first: [batch, k].",
            lambda x, w, y: torch.einsum("bi,kij,bj->kb", x, w, y),
        ),
        Fault(
            "x and y are swapped",
            "x meets the first axis of each matrix, y the second.",
            lambda x, w, y: torch.einsum("bi,kij,bj->bk", y, w, x),
        ),
        Fault(
            "the batch is summed",
            "Keep the index b after the arrow.",
            lambda x, w, y: torch.einsum("bi,kij,bj->k", x, w, y),
        ),
        Fault(
            "the outputs are summed",
            "Keep the index k after the arrow.",
            lambda x, w, y: torch.einsum("bi,kij,bj->b", x, w, y),
        ),
        Fault(
            "samples meet each other",
            "x and y share the index b: sample with itself, not with all others.",
            lambda x, w, y: torch.einsum("bi,kij,cj->bk", x, w, y),
        ),
        Fault("y is not used", "Each term has three factors.", lambda x, w, y: torch.einsum("bi,kij->bk", x, w)),
        Fault("x is not used", "Each term has three factors.", lambda x, w, y: torch.einsum("kij,bj->bk", w, y)),
        Fault(
            "only the diagonal of each matrix is summed",
            "Two letters, i and j: with one letter i equals j.",
            lambda x, w, y: torch.einsum("bi,kii,bi->bk", x, w[:, : y.shape[1], : x.shape[1]], y[:, : x.shape[1]]),
        ),
        Fault(
            "the sum over j is missing",
            "The result has two axes, [batch, k].",
            lambda x, w, y: torch.einsum("bi,kij,bj->bkj", x, w, y),
        ),
        Fault(
            "averaged instead of summed",
            "einsum sums; nothing is divided.",
            lambda x, w, y: torch.einsum("bi,kij,bj->bk", x, w, y) / w[0].numel(),
        ),
    ),
)
