"""Tensors in words: their numbers where they are few, statistics where they are many."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FEW = 12
"""Tensors of at most so many numbers are shown in full."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor as text: `numbers` is "[1, 2.5]", or "512 numbers: mean 0.1, ..."."""

    shape: tuple[int, ...]
    dtype: str
    numbers: str

    @property
    def size(self) -> str:
        """The shape in words: "one number" or "[2, 3]"."""
        return shape_text(self.shape)


def value_of(tensor: Tensor, *, few: int = FEW) -> Value:
    """The tensor's numbers with four digits, or their mean, standard deviation, least and largest."""
    held = tensor.detach()
    text = numbers_text(held) if held.numel() <= few else statistics_text(held)
    return Value(tuple(held.shape), str(held.dtype).removeprefix("torch."), text)


def shape_text(shape: Sequence[int]) -> str:
    """A shape in words: "one number" for that of a scalar."""
    return f"[{', '.join(map(str, shape))}]" if len(shape) else "one number"


def number_text(number: object) -> str:
    """A number with at most four digits after the leading zeros."""
    if isinstance(number, bool) or not isinstance(number, float):
        return str(number)
    return f"{number:.4g}"


def numbers_text(tensor: Tensor) -> str:
    """All numbers, nested as the tensor's axes are."""
    return _nested(tensor.tolist())


def statistics_text(tensor: Tensor) -> str:
    """How many numbers, and what they are like."""
    count = f"{tensor.numel():,} numbers"
    if tensor.dtype == torch.bool:
        return f"{count}: {100 * tensor.float().mean():.1f} % true"
    if tensor.is_complex():
        return f"{count}: mean size {tensor.abs().mean():.4g}"
    numbers = tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.double()
    low, high = torch.aminmax(numbers)
    lost = 0
    if not (low.isfinite() and high.isfinite()):
        finite = numbers[numbers.isfinite()]
        lost, numbers = numbers.numel() - finite.numel(), finite
        if not finite.numel():
            return f"{count}, none finite"
        low, high = torch.aminmax(finite)
    variance, mean = torch.var_mean(numbers, correction=0)
    told = f"mean {mean:.4g}, std {variance.sqrt():.4g}, {low:.4g} to {high:.4g}"
    return f"{count}: {told}" + (f", {lost:,} not finite" if lost else "")


def _nested(numbers: object) -> str:
    if isinstance(numbers, list):
        return f"[{', '.join(map(_nested, numbers))}]"
    return number_text(numbers)
