"""Losses: one number for a prediction x and a target t, summed or averaged."""

from collections.abc import Callable

import torch
from torch import Tensor

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved, signed

NONE, MEAN = 0, 1
"""Torch's numbers for the kinds of reduction; 2 is the sum."""


def _for_each(s: Saved) -> Tensor:
    """What arrives at each entry's own loss: g/n where the loss is their mean."""
    return s.g / s.self.numel() if s.reduction == MEAN else s.g


def _negative_log_likelihood(s: Saved) -> Tensor:
    classes = s.self.shape[-1]
    scores, target = s.self.reshape(-1, classes), s.target.reshape(-1)
    weight = torch.ones(classes, dtype=scores.dtype) if s.weight is None else s.weight
    counted = target != signed(s.ignore_index)
    used = torch.where(counted, target, 0)
    each = weight[used] * counted
    if s.reduction == MEAN:
        each = each / each.sum()
    arriving = s.g.reshape(-1) if s.reduction == NONE else s.g
    at_target = torch.zeros_like(scores).scatter(1, used[:, None], (-each * arriving)[:, None])
    return at_target.reshape(s.self.shape)


def _huber(s: Saved) -> Tensor:
    return (s.self - s.target).clamp(-s.delta, s.delta)


def _smooth(s: Saved) -> Tensor:
    return ((s.self - s.target) / s.beta).clamp(-1, 1)


def _weighted(s: Saved) -> Tensor:
    return _for_each(s) if s.weight is None else _for_each(s) * s.weight


def _surplus(s: Saved) -> Tensor:
    """σ(x) - t, and with a weight p of the positives (1 + (p - 1) t) σ(x) - p t."""
    share = torch.sigmoid(s.self)
    if s.pos_weight is None:
        return share - s.target
    return (1 + (s.pos_weight - 1) * s.target) * share - s.pos_weight * s.target


def _difference(node: str, operation: str, slope: str, difference: Callable[[Saved], Tensor]) -> Derivative:
    """A loss of x - t: what flows to the target is the negative of what flows to the prediction."""
    return Derivative(node, operation, (
        Input("x", f"∂y/∂xᵢ = {slope}/n", f"g · {slope}/n (n is 1 for a sum)",
              lambda s: _for_each(s) * difference(s), "self"),
        Input("t", f"∂y/∂tᵢ = −{slope}/n", f"−g · {slope}/n (n is 1 for a sum)",
              lambda s: -_for_each(s) * difference(s), "target"),
    ))  # fmt: skip


LOSSES = (
    Derivative("NllLossBackward0", "−Σ wᵢ x[i, tᵢ]/Σ wᵢ (wᵢ is 1 unless given)", (
        Input("x", "∂y/∂x[i, k] = −wᵢ/Σ w · [k = tᵢ]", "−g · wᵢ/Σ w at each row's class, 0 elsewhere "
              "(Σ w is 1 for a sum)", _negative_log_likelihood, "self"),
    )),
    _difference("MseLossBackward0", "mean (x − t)²", "2 (xᵢ − tᵢ)", lambda s: 2 * (s.self - s.target)),
    _difference("SmoothL1LossBackward0", "mean of (x − t)²/(2β) where |x − t| < β, else |x − t| − β/2",
                "clamp((xᵢ − tᵢ)/β, −1, 1)", _smooth),
    _difference("HuberLossBackward0", "mean of (x − t)²/2 where |x − t| < δ, else δ · (|x − t| − δ/2)",
                "clamp(xᵢ − tᵢ, −δ, δ)", _huber),
    Derivative("BinaryCrossEntropyBackward0", "mean of −w (t ln x + (1 − t) ln(1 − x))", (
        Input("x", "∂y/∂xᵢ = wᵢ (xᵢ − tᵢ)/(xᵢ (1 − xᵢ))/n", "g · wᵢ (xᵢ − tᵢ)/(xᵢ (1 − xᵢ))/n (n is 1 for a sum)",
              lambda s: _weighted(s) * (s.self - s.target) / (s.self * (1 - s.self)), "self"),
        Input("t", "∂y/∂tᵢ = wᵢ ln((1 − xᵢ)/xᵢ)/n", "g · wᵢ ln((1 − xᵢ)/xᵢ)/n (n is 1 for a sum)",
              lambda s: _weighted(s) * ((1 - s.self) / s.self).log(), "target"),
    )),
    Derivative("BinaryCrossEntropyWithLogitsBackward0", "mean of −w (p t ln σ(x) + (1 − t) ln(1 − σ(x)))", (
        Input("x", "∂y/∂xᵢ = wᵢ ((1 + (p − 1) tᵢ) σ(xᵢ) − p tᵢ)/n, which is (σ(xᵢ) − tᵢ)/n without weights",
              "g · wᵢ ((1 + (p − 1) tᵢ) σ(xᵢ) − p tᵢ)/n (n is 1 for a sum)",
              lambda s: _weighted(s) * _surplus(s), "self"),
        Input("t", "∂y/∂tᵢ = −wᵢ xᵢ/n", "−g · wᵢ xᵢ/n (n is 1 for a sum)", lambda s: -_weighted(s) * s.self, "target"),
    ), applies=lambda s: s.pos_weight is None or s.node.next_functions[1][0] is None),
)  # fmt: skip
"""Derivatives of losses."""
