"""The InfoNCE loss.

Two views of N images give vectors z [2 N, d]: rows i and i + N belong to one image. Write `info_nce_loss(z,
temperature)`: with s the cosine similarities of all rows divided by the temperature, each row is classified among all
other rows, and its partner is right:

    loss = mean over i of   - s[i, partner(i)] + log( sum over k != i of exp s[i, k] )
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 5: info_nce_loss"
HINTS = (
    "Similarities first; then what may not be chosen, the row itself, becomes minus infinity.",
    "The partner of row i is row (i + N) mod 2 N.",
    "`s.fill_diagonal_(-math.inf)`; `functional.cross_entropy(s, partners)`, `partners = torch.arange(2N).roll(N)`.",
)


def info_nce_loss(z: Tensor, temperature: float) -> Tensor:
    """Returns the loss, one number.

    Args:
        z: [2 N, d]; rows i and i + N belong together.
        temperature: positive.
    """
    ### BEGIN SOLUTION
    unit = functional.normalize(z, dim=1)
    similarities = unit @ unit.T / temperature
    itself = torch.eye(len(z), dtype=torch.bool)
    partners = torch.arange(len(z)).roll(len(z) // 2)
    return functional.cross_entropy(similarities.masked_fill(itself, -math.inf), partners)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    return {"z": draw.normal(2 * draw.size(2, 5), draw.size(3, 5)), "temperature": draw.choice((0.5, 0.07, 1.5))}


def _scores(z: Tensor, temperature: float) -> Tensor:
    unit = functional.normalize(z, dim=1)
    return unit @ unit.T / temperature


def _masked(scores: Tensor) -> Tensor:
    return scores.masked_fill(torch.eye(len(scores), dtype=torch.bool), -math.inf)


def _loss(scores: Tensor, shift: int | None = None) -> Tensor:
    return functional.cross_entropy(
        scores, torch.arange(len(scores)).roll(len(scores) // 2 if shift is None else shift)
    )


def _negatives_only(scores: Tensor) -> Tensor:
    n = len(scores) // 2
    partner = torch.eye(len(scores), dtype=torch.bool).roll(n, 1)
    return (_masked(scores).masked_fill(partner, -math.inf).logsumexp(1) - scores[partner]).mean()


def _neighbours(scores: Tensor) -> Tensor:
    return functional.cross_entropy(scores, torch.arange(len(scores)) ^ 1)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "a row is compared with itself",
            "k = i is left out: minus infinity on the diagonal.",
            lambda z, t: _loss(_scores(z, t)),
        ),
        Fault(
            "the diagonal is set to 0 instead of minus infinity",
            "exp(0) is 1 and still counts.",
            lambda z, t: _loss(_scores(z, t).fill_diagonal_(0.0)),
        ),
        Fault(
            "the temperature multiplies",
            "Similarities are divided by it.",
            lambda z, t: _loss(_masked(_scores(z, 1 / t))),
        ),
        Fault(
            "the temperature is missing", "Divide the similarities by it.", lambda z, t: _loss(_masked(_scores(z, 1.0)))
        ),
        Fault(
            "the vectors are not normalised",
            "Cosine similarity: unit vectors.",
            lambda z, t: _loss(_masked(z @ z.T / t)),
        ),
        Fault(
            "neighbouring rows are taken for partners",
            "Rows i and i + N belong together, not 2 i and 2 i + 1.",
            lambda z, t: _neighbours(_masked(_scores(z, t))),
        ),
        Fault(
            "the next row is taken for the partner",
            "The partner of i is i + N.",
            lambda z, t: _loss(_masked(_scores(z, t)), -1),
        ),
        Fault(
            "the positive is missing from the sum",
            "The sum runs over all k but i, the partner included.",
            lambda z, t: _negatives_only(_scores(z, t)),
        ),
        Fault(
            "only the first half counts",
            "Both views are anchors: the mean over 2 N rows.",
            lambda z, t: functional.cross_entropy(
                _masked(_scores(z, t))[: len(z) // 2], torch.arange(len(z) // 2) + len(z) // 2
            ),
        ),
        Fault(
            "the sum instead of the mean",
            "The mean over all rows.",
            lambda z, t: _loss(_masked(_scores(z, t))) * len(z),
        ),
        Fault("divided by N instead of 2 N", "The mean over all rows.", lambda z, t: _loss(_masked(_scores(z, t))) * 2),
        Fault("the sign is flipped", "A loss is positive here.", lambda z, t: -_loss(_masked(_scores(z, t)))),
    ),
)
