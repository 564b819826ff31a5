"""Group convolutions in two steps: over channels and group first, over the plane second."""

import torch
from torch import Tensor, nn

from gradlab.equivariance.convolution import GroupConvolution, MovedKernelConvolution
from gradlab.equivariance.groups import GroupBase
from gradlab.equivariance.kernel_family import Family


class DepthwiseConvolution(MovedKernelConvolution):
    """Convolves every channel with a kernel of its own: at the element h with the kernel moved by h.

    Args:
        group: the group H.
        channels: of the features.
        kernel_size: taps along a side.
        stride: step of the convolution; see `ValueError`.
        padding: zeros around the image.
        dilation: distance of the taps.
        bias: one number a channel, the same for all elements.
        family: which kernels are possible; see `kernel_family`.

    Raises:
        ValueError: as `LiftingConvolution`.
    """

    on_group = False

    def __init__(
        self,
        group: GroupBase,
        channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = False,
        family: Family | None = None,
    ) -> None:
        super().__init__(
            group, channels, channels, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=channels,
            bias=bias, family=family,
        )  # fmt: skip
        self.groups = channels * group.table.order  # of the folded channels: every element on its own, too

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, channels, order, height', width'] of [batch, channels, order, height, width]."""
        folded = x.flatten(1, 2)
        if not (self.training and x.device.type == "cpu"):
            return self._convolve(folded)
        # On CPUs the gradient of a depthwise kernel takes a quarter of the time in float32 with the channels last.
        with torch.autocast("cpu", enabled=False):
            return self._convolve(folded.to(self.kernel.weight.dtype, memory_format=torch.channels_last))

    def export(self) -> nn.Sequential:
        """The same map made of torch's own layers, with the numbers of now."""
        return nn.Sequential(nn.Flatten(1, 2), *super().export())


class SeparableGroupConvolution(nn.Module):
    """A group convolution whose kernel is a product: of channels and group, and of the plane.

    With |H| elements and k x k taps it takes in_channels * out_channels * |H| + out_channels * k^2 weights instead of
    in_channels * out_channels * |H| * k^2.

    Args:
        group: the group H.
        in_channels: channels of the features.
        out_channels: channels of the result.
        kernel_size: taps along a side.
        stride: step of the convolution; see `ValueError`.
        padding: zeros around the image.
        dilation: distance of the taps.
        bias: one number a channel, the same for all elements.
        family: which kernels are possible, of both steps; see `kernel_family`.

    Source: Knigge, Romero and Bekkers 2022, "Exploiting redundancy: separable group convolutional networks on Lie
    groups", section 4.
    Differs from the paper: the kernels are a network of the coordinates only where the family is `siren()`.

    Raises:
        ValueError: as `LiftingConvolution`.
    """

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
        bias: bool = False,
        family: Family | None = None,
    ) -> None:
        super().__init__()
        self.pointwise = GroupConvolution(group, in_channels, out_channels, 1, family=family)
        self.pointwise.kernel.reset_parameters(gain=1.0)  # the rectifier comes after the second step
        self.depthwise = DepthwiseConvolution(
            group,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=bias,
            family=family,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, out_channels, order, height', width'] of [batch, in_channels, order, height, width]."""
        return self.depthwise(self.pointwise(x))

    def export(self) -> nn.Sequential:
        """The same map made of torch's own layers, with the numbers of now."""
        return nn.Sequential(self.pointwise.export(), self.depthwise.export())
