"""Views, selections, joins and repetitions: numbers move or are copied, and gradients go the same way back."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved, moved, signed


def _to_shape(s: Saved) -> Tensor:
    return s.g.reshape(s.shape)


def _inverse_permutation(s: Saved) -> Tensor:
    dims = [signed(dim) % s.g.ndim for dim in s.dims]
    return s.g.permute(*(dims.index(axis) for axis in range(len(dims))))


def _empty(s: Saved) -> Tensor:
    return torch.zeros(s.shape, dtype=s.g.dtype)


def _selected(s: Saved) -> Tensor:
    whole = _empty(s)
    whole.select(s.axis, signed(s.index)).copy_(s.g)
    return whole


def _sliced(s: Saved) -> Tensor:
    whole = _empty(s)
    length = whole.shape[s.axis]
    places = range(length)[slice(signed(s.start), min(signed(s.end), length), s.step)]
    return whole.index_copy(s.axis, torch.tensor(list(places), dtype=torch.int64), s.g)


def _indexed(s: Saved) -> Tensor:
    """Places that were taken more than once add what arrives from each."""
    indices = tuple(slice(None) if index is None else index for index in s.indices)
    places = torch.arange(_empty(s).numel()).reshape(s.shape)[indices]
    return _empty(s).flatten().scatter_add(0, places.flatten(), s.g.flatten()).reshape(s.shape)


def _index_added(s: Saved) -> Tensor:
    return _empty(s).index_add(s.axis, s.index, s.g)


def _gathered(s: Saved) -> Tensor:
    return _empty(s).scatter_add(s.axis, s.index, s.g)


def _cut_out(s: Saved) -> Tensor:
    """Counted from the end that no input without a gradient lies before: the graph does not tell such a one's size.

    Raises:
        LookupError: inputs without gradients lie on both sides.
    """
    before, after = s.shapes[: s.position], s.shapes[s.position + 1 :]
    if None not in before:
        start = sum(shape[s.axis] for shape in before)
    elif None not in after:
        start = s.g.shape[s.axis] - s.shape[s.axis] - sum(shape[s.axis] for shape in after)
    else:
        raise LookupError("the place of this input among the others is not in the graph")
    return s.g.narrow(s.axis, start, s.shape[s.axis])


def _joined(s: Saved) -> Tensor:
    shapes = [tuple(entry.shape) for entry in s.node._input_metadata]
    parts = [
        torch.zeros(shape, dtype=_known(s).dtype) if part is None else part
        for part, shape in zip(s.gradients, shapes, strict=True)
    ]
    return torch.cat(parts, s.axis)


def _stacked(s: Saved) -> Tensor:
    parts = [torch.zeros_like(_known(s)) if part is None else part for part in s.gradients]
    return torch.stack(parts, s.axis)


def _known(s: Saved) -> Tensor:
    return next(part for part in s.gradients if part is not None)


def _unrepeated(s: Saved) -> Tensor:
    """Each axis of r copies of n numbers is folded into [r, n] and summed over its copies."""
    added = len(s.repeats) - len(s.shape)
    sizes: list[int] = []
    for copies, size in zip(s.repeats, (1,) * added + s.shape, strict=True):
        sizes += [copies, size]
    return s.g.reshape(sizes).sum(list(range(0, len(sizes), 2))).reshape(s.shape)


def _diagonal(s: Saved) -> Tensor:
    whole = _empty(s)
    whole.diagonal(signed(s.offset), signed(s.dim1), signed(s.dim2)).copy_(s.g)
    return whole


def _unpadded(s: Saved) -> Tensor:
    """A border of a negative width cut numbers off: there nothing flows back."""
    return functional.pad(s.g, [-signed(width) for width in s.pad])


def _reshaped(name: str, operation: str) -> Derivative:
    return moved(name, operation, "in the shape of x", _to_shape)


def _diagonals(name: str) -> Derivative:
    return moved(name, "the diagonal of x", "on the diagonal, 0 elsewhere", _diagonal)


def _parts(name: str, back: Callable[[Saved], Tensor]) -> Derivative:
    return moved(name, "x in parts along an axis", "of all parts side by side, 0 for a part that was not used", back)


SHAPES = (
    _reshaped("ViewBackward0", "x in another shape"),
    _reshaped("UnsafeViewBackward0", "x in another shape"),
    _reshaped("ReshapeAliasBackward0", "x in another shape"),
    _reshaped("SqueezeBackward0", "x without axes of size 1"),
    _reshaped("SqueezeBackward1", "x without an axis of size 1"),
    _reshaped("SqueezeBackward2", "x without some axes of size 1"),
    _reshaped("UnsqueezeBackward0", "x with a new axis of size 1"),
    moved("TBackward0", "xᵀ", "transposed", lambda s: s.g.t()),
    moved("TransposeBackward0", "x with two axes swapped", "with the axes swapped back",
          lambda s: s.g.transpose(signed(s.dim0), signed(s.dim1))),
    moved("PermuteBackward0", "x with its axes in another order", "with its axes in the old order",
          _inverse_permutation),
    moved("ExpandBackward0", "x repeated along axes of size 1", "summed over all copies",
          lambda s: s.g.sum_to_size(s.shape)),
    moved("RepeatBackward0", "x repeated along some axes", "summed over all copies", _unrepeated),
    moved("SelectBackward0", "one place of x along an axis", "at that place, 0 elsewhere", _selected),
    moved("SliceBackward0", "a range of x along an axis", "at those places, 0 elsewhere", _sliced),
    moved("IndexBackward0", "x at some places", "added at those places, 0 elsewhere", _indexed),
    moved("IndexSelectBackward0", "places of x along an axis", "added at those places, 0 elsewhere", _index_added),
    moved("GatherBackward0", "x at given places along an axis", "added at those places, 0 elsewhere", _gathered),
    moved("MaskedSelectBackward0", "x where the mask is true", "where the mask is true, 0 elsewhere",
          lambda s: _empty(s).masked_scatter(s.mask, s.g)),
    moved("FlipBackward0", "x turned round along some axes", "turned round again",
          lambda s: s.g.flip([signed(dim) for dim in s.dims])),
    moved("RollBackward0", "x shifted in a circle", "shifted back",
          lambda s: s.g.roll([-signed(shift) for shift in s.shifts], [signed(dim) for dim in s.dims])),
    moved("TrilBackward0", "x on and below the diagonal", "on and below the diagonal, 0 elsewhere",
          lambda s: s.g.tril(signed(s.diagonal))),
    moved("TriuBackward0", "x on and above the diagonal", "on and above the diagonal, 0 elsewhere",
          lambda s: s.g.triu(signed(s.diagonal))),
    _diagonals("DiagonalBackward0"),
    _diagonals("DiagonalBackward0_copy"),
    moved("ConstantPadNdBackward0", "x with a border", "without the border", _unpadded),
    moved("CatBackward0", "x₁, x₂, … joined along an axis", "at the places of this input", _cut_out),
    moved("StackBackward0", "x₁, x₂, … along a new axis", "at the place of this input",
          lambda s: s.g.select(s.axis, s.position)),
    _parts("SplitBackward0", _joined),
    _parts("UnsafeSplitBackward0", _joined),
    _parts("SplitWithSizesBackward0", _joined),
    _parts("UnbindBackward0", _stacked),
    Derivative("ScatterBackward0", "x, with b written to given places along an axis", (
        Input("x", "∂yᵢ/∂xᵢ = [nothing was written to i]", "g, and 0 where b was written",
              lambda s: s.g.scatter(s.axis, s.index, 0)),
        Input("b", "∂yᵢ/∂bⱼ = [bⱼ was written to i]", "g at the places that were written",
              lambda s: s.g.gather(s.axis, s.index)),
    )),
)  # fmt: skip
"""Derivatives of operations that move numbers."""
