"""The residual network with pre-activation blocks, over a group."""

from collections.abc import Sequence

from torch import Tensor, nn

from gradlab.equivariance import (
    CyclicGroup,
    GroupBase,
    GroupBatchNorm,
    GroupConvolution,
    GroupPooling,
    LiftingConvolution,
    SpatialPooling,
)
from gradlab.nn import Dropout, check_images


class ResidualGroupBlock(nn.Module):
    """x + F(x), where F is batch norm, ReLU and group convolution, twice: all of it equivariant.

    Zeros around the maps keep their sides. Where the channels change, the shortcut is a 1x1 group convolution.

    Args:
        group: the group H.
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: taps along a side, odd.
        dropout: share of the numbers that are zeroed before the second convolution, in training.
    """

    def __init__(
        self, group: GroupBase, in_channels: int, out_channels: int, kernel_size: int = 3, dropout: float = 0.0
    ) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.residual = nn.Sequential(
            GroupBatchNorm(in_channels),
            nn.ReLU(),
            GroupConvolution(group, in_channels, out_channels, kernel_size, padding=padding),
            GroupBatchNorm(out_channels),
            nn.ReLU(),
            Dropout(dropout),
            GroupConvolution(group, out_channels, out_channels, kernel_size, padding=padding),
        )
        self.shortcut = nn.Identity() if in_channels == out_channels else GroupConvolution(
            group, in_channels, out_channels, 1
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, out_channels, order, height, width] of [batch, in_channels, order, height, width]."""
        return self.shortcut(x) + self.residual(x)


class ResidualGroupCNN(nn.Module):
    """A lifting convolution, stages of residual blocks, the largest value over the group, the mean over the plane.

    Between two stages the mean of every 2x2 window halves the sides: 28, 14 and 7 pixels for three stages, or 32, 16
    and 8. A mean treats a turned window as it treats the upright one, and it aliases less than a stride, which matters
    at the angles between those of the grid. The logits are invariant: exactly for turns and reflections that keep the
    grid, nearly for others of the group.

    Args:
        group: the group H; C4 where None.
        num_classes: number of classes.
        num_blocks: blocks of each stage.
        channels: channels of each stage, each with a response for every element of the group.
        in_channels: channels of the images.
        kernel_size: taps along a side, odd; 5 serves groups that leave the grid better.
        dropout: in the blocks and before the last layer, see `ResidualGroupBlock`.

    Source: He et al. 2016, "Identity mappings in deep residual networks"; Cohen and Welling 2016, "Group equivariant
    convolutional networks", section 8.2.
    Differs from the papers: means, not strides, halve the sides; batch norm and ReLU stand before the pooling.

    Raises:
        ValueError: the stages are not described by as many blocks as channels, or the kernel has an even side.
    """

    def __init__(
        self,
        group: GroupBase | None = None,
        num_classes: int = 10,
        num_blocks: Sequence[int] = (1, 1, 1),
        channels: Sequence[int] = (8, 16, 24),
        in_channels: int = 1,
        *,
        kernel_size: int = 3,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not num_blocks or len(num_blocks) != len(channels) or min(*num_blocks, *channels) < 1:
            raise ValueError(f"every stage needs blocks and channels: got {list(num_blocks)} and {list(channels)}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"a kernel must have an odd side to keep the sides of the maps: got {kernel_size}")
        group = group or CyclicGroup(4)
        self.in_channels, self.window = in_channels, 2 ** (len(num_blocks) - 1)
        self.lifting = LiftingConvolution(group, in_channels, channels[0], kernel_size, padding=kernel_size // 2)
        blocks: list[nn.Module] = []
        before = channels[0]
        for stage, (count, wanted) in enumerate(zip(num_blocks, channels, strict=True)):
            blocks += [SpatialPooling(2, "mean")] if stage else []
            for _ in range(count):
                blocks.append(ResidualGroupBlock(group, before, wanted, kernel_size, dropout))
                before = wanted
        self.blocks = nn.Sequential(*blocks)
        self.norm = GroupBatchNorm(before)
        self.activation = nn.ReLU()
        self.group_pooling = GroupPooling("max")
        self.plane_pooling = nn.AdaptiveAvgPool2d(1)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(before, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, num_classes] of images [batch, in_channels, height, width].

        Raises:
            ValueError: the images have other channels, or sides that the stages cannot halve; the nearest that they
                can are told.
        """
        self._check(x)
        maps = self.activation(self.norm(self.blocks(self.lifting(x))))
        return self.head(self.dropout(self.plane_pooling(self.group_pooling(maps)).flatten(1)))

    def _check(self, x: Tensor) -> None:
        check_images(x, "ResidualGroupCNN", channels=self.in_channels, smallest_side=self.window)
        for side, length in (("height", x.shape[-2]), ("width", x.shape[-1])):
            if length % self.window:
                down = length - length % self.window
                raise ValueError(
                    f"ResidualGroupCNN halves the sides {self.window.bit_length() - 1} times, which breaks "
                    f"equivariance at a {side} of {length}: take {down} or {down + self.window}"
                )
