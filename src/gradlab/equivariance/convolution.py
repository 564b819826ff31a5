"""Lifting and group convolutions: plain convolutions whose kernels are moved copies of each other."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.equivariance.expansion import ExpandedKernel
from gradlab.equivariance.groups import GroupBase
from gradlab.equivariance.kernel_family import Family


class MovedKernelConvolution(nn.Module):
    """What the convolutions share: sizes, bias, and the rule that keeps them equivariant.

    Args: as `LiftingConvolution`.
    """

    on_group: ClassVar[bool]
    """Whether the kernel is a function on the plane and the group."""

    def __init__(
        self,
        group: GroupBase,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        family: Family | None = None,
    ) -> None:
        super().__init__()
        kernel = ExpandedKernel(
            group, kernel_size, _share(in_channels, out_channels, groups), out_channels, on_group=self.on_group,
            family=family,
        )  # fmt: skip
        if min(stride, dilation, groups) < 1 or padding < 0:
            raise ValueError(
                "stride, dilation and groups are at least 1, padding at least 0: "
                f"got {stride}, {dilation}, {groups}, {padding}"
            )
        if dilation > 1 and kernel.family.representatives > 1:
            raise ValueError(
                f"kernels of {kernel.table.name} are resampled for taps one pixel apart: got a dilation of {dilation}; "
                "use 1, or a group that keeps the grid"
            )
        self.kernel = kernel
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.bias = nn.Parameter(torch.zeros(kernel.out_channels)) if bias else None

    def _convolve(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] to [batch, out_channels, order, height', width']."""
        self._check(x)
        kernel = self.kernel()
        order, size = kernel.shape[1], kernel.shape[-1]
        bias = None if self.bias is None else self.bias.repeat_interleave(order)
        out = F.conv2d(
            x, kernel.reshape(kernel.shape[0] * order, -1, size, size), bias, self.stride, self.padding, self.dilation,
            self.groups,
        )  # fmt: skip
        return out.unflatten(1, (self.kernel.out_channels, order))

    def _check(self, x: Tensor) -> None:
        """A turned image must meet the kernel at the turned places: the steps have to end at the far edge."""
        reach = self.dilation * (self.kernel.kernel_size - 1) + 1
        for side, length in (("height", x.shape[-2]), ("width", x.shape[-1])):
            left = length + 2 * self.padding - reach
            if left < 0:
                raise ValueError(f"{side} {length} with padding {self.padding} is smaller than the kernel's {reach}")
            if left % self.stride:
                near = [length - left % self.stride, length + self.stride - left % self.stride]
                raise ValueError(
                    f"{side} {length}, kernel {reach}, padding {self.padding} and stride {self.stride} break "
                    f"equivariance: the steps stop short of the edge; take a {side} of {near[0]} or {near[1]}"
                    f"{self._paddings(length - reach)}"
                )

    def _paddings(self, left: int) -> str:
        legal = [padding for padding in range(self.padding + self.stride + 1) if (left + 2 * padding) % self.stride == 0
                 and left + 2 * padding >= 0]  # fmt: skip
        return f", or a padding of {min(legal, key=lambda p: abs(p - self.padding))}" if legal else ""

    def _plain(self) -> nn.Conv2d:
        """The same convolution as torch's own layer, over channels with the group folded in."""
        with torch.no_grad():
            kernel = self.kernel()
            order, size = kernel.shape[1], kernel.shape[-1]
            weight = kernel.reshape(kernel.shape[0] * order, -1, size, size)
            plain = nn.Conv2d(
                weight.shape[1] * self.groups, weight.shape[0], size, self.stride, self.padding, self.dilation,
                self.groups, bias=self.bias is not None, device=weight.device, dtype=weight.dtype,
            )  # fmt: skip
            plain.weight.copy_(weight)
            if self.bias is not None and plain.bias is not None:
                plain.bias.copy_(self.bias.repeat_interleave(order))
        return plain

    def export(self) -> nn.Sequential:
        """The same map made of torch's own layers, with the numbers of now."""
        folded = [nn.Flatten(1, 2)] if self.on_group else []
        return nn.Sequential(
            *folded, self._plain(), nn.Unflatten(1, (self.kernel.out_channels, self.kernel.table.order))
        )

    def extra_repr(self) -> str:
        """The sizes that are not the kernel's."""
        return f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, groups={self.groups}"


class LiftingConvolution(MovedKernelConvolution):
    """From images to functions on the plane and the group: one response for every moved copy of a kernel.

    Args:
        group: the group H.
        in_channels: channels of the images.
        out_channels: channels of the result, each with a response for every element.
        kernel_size: taps along a side.
        stride: step of the convolution; see `ValueError`.
        padding: zeros around the image.
        dilation: distance of the taps.
        groups: parts into which channels are divided.
        bias: one number a channel, the same for all elements.
        family: which kernels are possible; see `kernel_family`.

    Source: Cohen and Welling 2016, "Group equivariant convolutional networks", equation 10; handbook, practical 4,
    section 2.1.
    Differs from the handbook: heights and widths may differ; every copy is exact where the grid allows it.

    Raises:
        ValueError: a size is impossible; at the call, the steps do not end at the edge, which breaks equivariance.
    """

    on_group = False

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, out_channels, order, height', width'] of images [batch, in_channels, height, width]."""
        return self._convolve(x)


class GroupConvolution(MovedKernelConvolution):
    """From functions on the plane and the group to such functions, with one kernel on both.

    Folding the group into the channels is legitimate because the integral over the group is a sum, as that over the
    channels is, and because every moved copy of the kernel is a channel of its own.

    Args: as `LiftingConvolution`.

    Source: Cohen and Welling 2016, equation 11; handbook, practical 4, section 2.2.

    Raises:
        ValueError: as `LiftingConvolution`.
    """

    on_group = True

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, out_channels, order, height', width'] of [batch, in_channels, order, height, width]."""
        return self._convolve(x.flatten(1, 2))


def _share(in_channels: int, out_channels: int, groups: int) -> int:
    """Input channels of a part; a border inside a channel would divide its elements."""
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(f"groups must divide the channels: got {groups} for {in_channels} in and {out_channels} out")
    return in_channels // groups
