"""A small network over a fine group, cheap because strides shrink the maps before they become deep."""

from collections.abc import Sequence

from torch import Tensor, nn

from gradlab.equivariance import (
    CyclicGroup,
    GroupBase,
    GroupBatchNorm,
    GroupConvolution,
    GroupPooling,
    LiftingConvolution,
    SeparableGroupConvolution,
)
from gradlab.nn import check_images


class StridedGroupCNN(nn.Module):
    """Group convolutions with batch norm and ReLU, some of stride 2, a last one as large as what is left.

    The first convolution halves the sides, so nothing is computed on maps as large as the image, where a group of many
    elements is dearest. A stride of 2 comes with a kernel of an even side, one tap wider: its steps then end at the far
    edge, and the maps turn as the image does. The last convolution sees the whole map, so it knows where in the image a
    feature lies; the largest value over the group makes its logits invariant: exactly for turns and reflections that
    keep the grid, nearly for others of the group.

    Args:
        group: the group H; C8 where None.
        image_size: height and width of the square images.
        in_channels: channels of the images.
        num_classes: number of classes.
        channels: channels of every convolution but the last.
        strides: 1 or 2 for each of them.
        kernel_size: taps along a side where the stride is 1, odd.
        dropout: share of the numbers that are zeroed after every convolution but the last, in training.
        separable: makes the convolutions between the first and the last in two steps, over channels and group, then
            over the plane, with a few weights and products in the place of many.

    Source: Cohen and Welling 2016, "Group equivariant convolutional networks", section 8.1, for the last convolution
    and the largest value; Weiler and Cesa 2019, "General E(2)-equivariant steerable CNNs", section 3, for finer groups;
    Knigge, Romero and Bekkers 2022, "Exploiting redundancy: separable group convolutional networks on Lie groups",
    section 4, for separable ones.

    Raises:
        ValueError: there are not as many strides as channels, a stride is not 1 or 2, the kernel has an even side, or
            the strides cannot halve the sides, which breaks equivariance.
    """

    def __init__(
        self,
        group: GroupBase | None = None,
        image_size: int = 28,
        in_channels: int = 1,
        num_classes: int = 10,
        channels: Sequence[int] = (6, 6, 8, 8),
        strides: Sequence[int] = (2, 1, 2, 1),
        *,
        kernel_size: int = 5,
        dropout: float = 0.0,
        separable: bool = False,
    ) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"a kernel must have an odd side to keep the sides of the maps: got {kernel_size}")
        left = side_after(image_size, channels, strides)
        group = group or CyclicGroup(8)
        self.image_size, self.in_channels = image_size, in_channels
        between = SeparableGroupConvolution if separable else GroupConvolution
        layers: list[nn.Module] = []
        before = in_channels
        for place, (wanted, stride) in enumerate(zip(channels, strides, strict=True)):
            convolution = between if place else LiftingConvolution
            layers += [
                convolution(group, before, wanted, kernel_size + stride - 1, stride=stride, padding=kernel_size // 2),
                GroupBatchNorm(wanted),
                nn.ReLU(),
                nn.Dropout(dropout),
            ]
            before = wanted
        self.layers = nn.Sequential(*layers)
        self.last = GroupConvolution(group, before, num_classes, left, bias=True)
        self.last.kernel.reset_parameters(gain=1.0)
        self.group_pooling = GroupPooling("max")

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, num_classes] of images [batch, in_channels, image_size, image_size].

        Raises:
            ValueError: the images have other channels or sides.
        """
        check_images(x, "StridedGroupCNN", channels=self.in_channels)
        if x.shape[2:] != (self.image_size, self.image_size):
            wanted = f"{self.image_size}x{self.image_size}"
            raise ValueError(f"StridedGroupCNN takes images of {wanted}: got {'x'.join(map(str, x.shape[2:]))}")
        return self.group_pooling(self.last(self.layers(x))).flatten(1)


def side_after(image_size: int, channels: Sequence[int], strides: Sequence[int]) -> int:
    """The side of the maps that the last convolution sees.

    Raises:
        ValueError: as `StridedGroupCNN`.
    """
    if not channels or len(channels) != len(strides) or min(channels) < 1 or not set(strides) <= {1, 2}:
        raise ValueError(
            f"every convolution needs channels, and a stride of 1 or 2: got {list(channels)} and {list(strides)}"
        )
    window = 2 ** list(strides).count(2)
    if image_size < window or image_size % window:
        down = max(window, image_size - image_size % window)
        raise ValueError(
            f"strides that divide the sides by {window} break equivariance at images of {image_size}: take {down} or "
            f"{down + window}"
        )
    return image_size // window
