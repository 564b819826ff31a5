"""Convolutions and poolings as windows that move over their input, and the size of what they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from gradlab.equivariance import DepthwiseConvolution, GroupConvolution, LiftingConvolution, SpatialPooling

POOLS = (nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd)
ON_GROUPS = (LiftingConvolution, GroupConvolution, DepthwiseConvolution)


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a layer, one number for each axis that it moves along.

    Args:
        entering: the sizes W of the input.
        kernel: K places.
        stride: S, from one place of the window to the next.
        padding: P, added on either side.
        dilation: D, from one place inside the window to the next.
        leaving: the sizes of the output.
    """

    entering: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    leaving: tuple[int, ...]

    def formula(self, axis: int = 0) -> str:
        """The output's size worked out, such as "(28 - 5 + 2 * 0)/1 + 1 = 24" with typographic signs."""
        size, kernel, stride, padding, dilation = (
            numbers[axis] for numbers in (self.entering, self.kernel, self.stride, self.padding, self.dilation)
        )
        taken = dilation * (kernel - 1) + 1
        top = size - taken + 2 * padding
        rounded = top % stride != 0
        inner = f"{size} − {taken} + 2·{padding}"
        share = f"⌊({inner})/{stride}⌋" if rounded else f"({inner})/{stride}"
        note = f", where the window takes {dilation}·({kernel} − 1) + 1 = {taken} places" if dilation > 1 else ""
        return f"{share} + 1 = {top // stride + 1}{note}"

    @property
    def same_on_all_axes(self) -> bool:
        """Whether one formula tells them all."""
        kinds = (self.entering, self.kernel, self.stride, self.padding, self.dilation)
        return all(len(set(numbers)) == 1 for numbers in kinds)


def window_of(module: nn.Module, entering: Sequence[int], leaving: Sequence[int]) -> Window | None:
    """The window of a convolution or pooling that rounds down; None for every other layer.

    On groups it moves over the plane alone: each number sees every element of the group.

    Args:
        module: the layer.
        entering: the shape of its input, batch and channels first.
        leaving: the shape of its output.
    """
    if isinstance(module, SpatialPooling):
        return _square(module.size, module.size, 0, 1, entering, leaving)
    if isinstance(module, ON_GROUPS):
        side = module.kernel.kernel_size
        return _square(side, module.stride, module.padding, module.dilation, entering, leaving)
    plain = isinstance(module, nn.modules.conv._ConvNd) and not module.transposed
    pool = isinstance(module, POOLS) and not getattr(module, "ceil_mode", False)
    if not (plain or pool):
        return None
    axes = len(entering) - 2
    settings: Any = module
    padding = settings.padding
    if isinstance(padding, str):
        padding = [0] * axes if padding == "valid" else None
    if padding is None:  # "same" pads the two sides by different amounts where it must
        return None
    return Window(
        tuple(entering[2:]),
        _for_axes(settings.kernel_size, axes),
        _for_axes(settings.stride or settings.kernel_size, axes),
        _for_axes(padding, axes),
        _for_axes(getattr(settings, "dilation", 1), axes),
        tuple(leaving[2:]),
    )


def _square(
    kernel: int, stride: int, padding: int, dilation: int, entering: Sequence[int], leaving: Sequence[int]
) -> Window:
    """The same on both axes of the plane, which come last."""
    sides = ((kernel, kernel), (stride, stride), (padding, padding), (dilation, dilation))
    return Window(tuple(entering[-2:]), *sides, tuple(leaving[-2:]))


def _for_axes(setting: int | Sequence[int], axes: int) -> tuple[int, ...]:
    return (setting,) * axes if isinstance(setting, int) else tuple(setting)
