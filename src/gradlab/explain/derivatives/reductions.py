"""Sums, means, products, extremes and norms: many numbers become one, and its gradient goes back to all of them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved


def _spread(s: Saved, reduced: Tensor) -> Tensor:
    """A reduced tensor with its lost axes back as axes of size 1, so that it broadcasts over the input."""
    if reduced.ndim == len(s.shape):
        return reduced
    for axis in s.axes:
        reduced = reduced.unsqueeze(axis)
    return reduced


def _everywhere(s: Saved, gradient: Tensor) -> Tensor:
    return gradient.expand(s.shape)


def _over_axes(s: Saved) -> Tensor:
    return _everywhere(s, _spread(s, s.g))


def _reduced_count(s: Saved) -> int:
    count = 1
    for axis in s.axes:
        count *= s.shape[axis]
    return count


def _others(x: Tensor, axis: int) -> Tensor:
    """The product of all numbers along an axis but the one at each place, zeros allowed."""
    ones = torch.ones_like(x.narrow(axis, 0, 1))
    before = torch.cat([ones, x.narrow(axis, 0, x.shape[axis] - 1)], axis).cumprod(axis)
    turned = x.flip(axis)
    after = torch.cat([ones, turned.narrow(axis, 0, x.shape[axis] - 1)], axis).cumprod(axis).flip(axis)
    return before * after


def _product_of_all(s: Saved) -> Tensor:
    return s.g * _others(s.self.reshape(-1), 0).reshape(s.shape)


def _product(s: Saved) -> Tensor:
    return _spread(s, s.g) * _others(s.self, s.axes[0])


def _placed(s: Saved) -> Tensor:
    """The gradients put back at the places that the numbers came from."""
    g, places = (s.g, s.indices) if s.g.ndim == len(s.shape) else (_spread(s, s.g), _spread(s, s.indices))
    return torch.zeros(s.shape, dtype=s.g.dtype).scatter_add(s.axis, places, g)


def _shared_by_all(s: Saved) -> Tensor:
    best = s.self == s.result
    return s.g * best / best.sum()


def _shared(s: Saved) -> Tensor:
    best = s.self == _spread(s, s.result)
    return _spread(s, s.g) * best / best.sum(s.axes, keepdim=True)


def _less_mean(s: Saved) -> Tensor:
    return s.self - s.self.mean(s.axes, keepdim=True)


def _freedom(s: Saved) -> float:
    return _reduced_count(s) - (1 if s.correction is None else s.correction)


def _variance(s: Saved) -> Tensor:
    return _spread(s, s.g) * 2 * _less_mean(s) / _freedom(s)


def _deviation(s: Saved) -> Tensor:
    return _spread(s, s.g) * _less_mean(s) / (_freedom(s) * _spread(s, s.result))


def _cumulated(s: Saved) -> Tensor:
    return s.g.flip(s.axis).cumsum(s.axis).flip(s.axis)


def _one(
    node: str, operation: str, local: str, vjp: str, compute: Callable[[Saved], Tensor], **more: Any
) -> Derivative:
    entry = Input("x", f"∂y/∂xᵢ = {local}", vjp, compute, "self")
    return Derivative(node, operation, (entry,), **more)


def _softmax(s: Saved) -> Tensor:
    return s.result * (s.g - (s.g * s.result).sum(s.axis, keepdim=True))


def _log_softmax(s: Saved) -> Tensor:
    return s.g - s.result.exp() * s.g.sum(s.axis, keepdim=True)


REDUCTIONS = (
    _one("SumBackward0", "Σ xᵢ", "1", "g at every place", lambda s: _everywhere(s, s.g)),
    _one("SumBackward1", "Σ xᵢ along some axes", "1", "g at every place that was summed", _over_axes),
    _one("MeanBackward0", "Σ xᵢ/n", "1/n", "g/n at every place", lambda s: _everywhere(s, s.g / s.self_sym_numel)),
    _one("MeanBackward1", "Σ xᵢ/n along some axes", "1/n", "g/n at every place of the mean",
         lambda s: _over_axes(s) / _reduced_count(s)),
    _one("ProdBackward0", "Π xᵢ", "the product of all others", "g · the product of all others", _product_of_all),
    _one("ProdBackward1", "Π xᵢ along an axis", "the product of all others", "g · the product of all others",
         _product),
    _one("MaxBackward0", "max xᵢ along an axis (and its place)", "[i is the place of the largest]",
         "g at the place of the largest, 0 elsewhere", _placed),
    _one("MinBackward0", "min xᵢ along an axis (and its place)", "[i is the place of the smallest]",
         "g at the place of the smallest, 0 elsewhere", _placed),
    _one("MaxBackward1", "max xᵢ", "[xᵢ = y], shared by equals", "g · [xᵢ = y]/how many are equal", _shared_by_all),
    _one("MinBackward1", "min xᵢ", "[xᵢ = y], shared by equals", "g · [xᵢ = y]/how many are equal", _shared_by_all),
    _one("AmaxBackward0", "max xᵢ along some axes", "[xᵢ = y], shared by equals",
         "g · [xᵢ = y]/how many are equal", _shared),
    _one("AminBackward0", "min xᵢ along some axes", "[xᵢ = y], shared by equals",
         "g · [xᵢ = y]/how many are equal", _shared),
    _one("MedianBackward0", "the median of xᵢ", "[xᵢ = y], shared by equals",
         "g · [xᵢ = y]/how many are equal", _shared_by_all),
    _one("SortBackward0", "xᵢ sorted (and their places)", "[i is the place that y came from]",
         "g put back to the places before sorting", _placed),
    _one("TopkBackward0", "the k largest xᵢ (and their places)", "[i is the place that y came from]",
         "g put back to the places of the largest, 0 elsewhere", _placed),
    _one("VarBackward0", "Σ (xᵢ − mean)²/(n − c)", "2 (xᵢ − mean)/(n − c)", "g · 2 (xᵢ − mean)/(n − c)", _variance),
    _one("StdBackward0", "√(Σ (xᵢ − mean)²/(n − c))", "(xᵢ − mean)/((n − c) · y)",
         "g · (xᵢ − mean)/((n − c) · y)", _deviation),
    _one("LinalgVectorNormBackward0", "√(Σ xᵢ²)", "xᵢ/y", "g · xᵢ/y",
         lambda s: _spread(s, s.g) * s.self / _spread(s, s.result), applies=lambda s: s.ord == 2),
    _one("LinalgVectorNormBackward0", "Σ |xᵢ|", "sign(xᵢ)", "g · sign(xᵢ)",
         lambda s: _spread(s, s.g) * s.self.sign(), applies=lambda s: s.ord == 1),
    _one("LogsumexpBackward0", "ln Σ exp(xᵢ)", "exp(xᵢ − y)", "g · exp(xᵢ − y), which is g · softmax(x)",
         lambda s: _spread(s, s.g) * (s.self - _spread(s, s.result)).exp()),
    _one("CumsumBackward0", "y_k = Σ xᵢ up to place k", "[i ≤ k]", "the sum of g from each place to the end",
         _cumulated),
    _one("SoftmaxBackward0", "exp(xᵢ)/Σ exp(xⱼ)", "yᵢ · ([i = k] − y_k) for output k", "y · (g − Σ g · y)", _softmax),
    _one("LogSoftmaxBackward0", "xᵢ − ln Σ exp(xⱼ)", "[i = k] − exp(yᵢ) for output k", "g − exp(y) · Σ g",
         _log_softmax),
    _one("TraceBackward0", "Σ xᵢᵢ", "[i is on the diagonal]", "g on the diagonal, 0 elsewhere",
         lambda s: s.g * torch.eye(*s.self_sym_sizes, dtype=s.g.dtype)),
)  # fmt: skip
"""Derivatives of sums and their kin, and of functions that mix the numbers along an axis."""
