"""Scaled dot-product attention.

Write `attention(query, key, value, mask)` for query [..., targets, d], key [..., sources, d] and value
[..., sources, e]: softmax(query key^T / sqrt(d)) value, where the softmax runs over the sources. `mask` is None or
[..., targets, sources]; where it is 0 a target may not look at that source, which then gets weight 0. Return the values
[..., targets, e] and the weights [..., targets, sources].
"""

import math
from typing import Any

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: transformer, attention; practical 3"
WITHOUT = ("scaled_dot_product_attention", "MultiheadAttention")
HINTS = (
    "Three lines: scores, softmax over the last axis, weighted sum of the values.",
    "A score of minus infinity becomes a weight of 0: `scores.masked_fill(mask == 0, -math.inf)`.",
    "`scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])`; `weights = scores.softmax(-1)`.",
)


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Returns the attended values [..., targets, e] and the weights [..., targets, sources].

    Args:
        query: [..., targets, d].
        key: [..., sources, d].
        value: [..., sources, e].
        mask: 0 where a target may not look; [..., targets, sources].
    """
    ### BEGIN SOLUTION
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Any]:
    lead = [(), (2,), (2, 3)][draw.case % 3]
    targets, sources, d = draw.size(2, 4), draw.size(3, 5), draw.size(4, 6)
    sources = targets if draw.case == 3 else sources
    mask = None
    if draw.case in (1, 3, 5):
        mask = (draw.uniform(*lead, targets, sources) > 0.4).long()
        mask[..., 0] = 1
        mask[..., 1] = 0
    return {
        "query": draw.normal(*lead, targets, d),
        "key": draw.normal(*lead, sources, d),
        "value": draw.normal(*lead, sources, draw.size(2, 4)),
        "mask": mask,
    }


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **switch: Any) -> tuple[Tensor, Tensor]:
    """Attention with the switches scale, axis, hidden (what a masked score becomes), allowed and late."""
    scores = query @ key.transpose(-2, -1) * switch.get("scale", query.shape[-1] ** -0.5)
    late = switch.get("late", False)
    if mask is not None and not late:
        scores = scores.masked_fill(mask == switch.get("forbidden", 0), switch.get("hidden", -math.inf))
    weights = scores.softmax(switch.get("axis", -1))
    if mask is not None and late:
        weights = weights * mask
    return weights @ value, weights


def _scores(query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return scores if mask is None else torch.where(mask == 0, -math.inf, scores)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the scores are not scaled",
            "Divide by sqrt(d): without it the scores' variance grows with d.",
            lambda q, k, v, m: _attend(q, k, v, m, scale=1.0),
        ),
        Fault(
            "divided by d instead of its square root",
            "The variance of a sum of d products is d, its standard deviation sqrt(d).",
            lambda q, k, v, m: _attend(q, k, v, m, scale=1 / q.shape[-1]),
        ),
        Fault(
            "scaled by the number of sources",
            "d is the size of a query: its last axis.",
            lambda q, k, v, m: _attend(q, k, v, m, scale=k.shape[-2] ** -0.5),
        ),
        Fault(
            "multiplied by sqrt(d)",
            "Divide the scores.",
            lambda q, k, v, m: _attend(q, k, v, m, scale=q.shape[-1] ** 0.5),
        ),
        Fault(
            "the softmax runs over the targets",
            "Each target shares its attention among the sources: the last axis.",
            lambda q, k, v, m: _attend(q, k, v, m, axis=-2),
        ),
        Fault(
            "the mask is the wrong way round",
            "0 forbids, 1 allows.",
            lambda q, k, v, m: _attend(q, k, v, m, forbidden=1),
        ),
        Fault("the mask is ignored", "Forbidden sources get weight 0.", lambda q, k, v, m: _attend(q, k, v, None)),
        Fault(
            "masked scores are set to 0",
            "exp(0) is 1: a weight of 0 needs a score of minus infinity.",
            lambda q, k, v, m: _attend(q, k, v, m, hidden=0.0),
        ),
        Fault(
            "the weights are masked after the softmax",
            "The rest no longer adds to 1: mask the scores before the softmax.",
            lambda q, k, v, m: _attend(q, k, v, m, late=True),
        ),
        Fault(
            "the weights are missing",
            "Return the values and the weights.",
            lambda q, k, v, m: _attend(q, k, v, m)[0],
        ),
        Fault(
            "values and weights are swapped",
            "First the values, then the weights.",
            lambda q, k, v, m: _attend(q, k, v, m)[::-1],
        ),
        Fault(
            "the scores are returned instead of the weights",
            "The weights are the softmax of the scores.",
            lambda q, k, v, m: (_attend(q, k, v, m)[0], _scores(q, k, m)),
        ),
        Fault(
            "there is no softmax",
            "Weights are positive and add to 1.",
            lambda q, k, v, m: (_scores(q, k, m) @ v, _scores(q, k, m)),
        ),
    ),
)
