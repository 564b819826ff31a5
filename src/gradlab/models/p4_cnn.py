"""The group-equivariant network for rotated digits."""

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
from gradlab.nn import check_images


class P4CNN(nn.Module):
    """Group convolutions with batch norm and ReLU, one pooling between them, a last one as large as what is left.

    No convolution is padded. The last one sees the whole map from its middle, so it knows where in the image a feature
    lies; the largest value over the group makes its logits invariant.

    Args:
        group: the group H; C4, called p4 with the translations, where None.
        image_size: height and width of the square images.
        in_channels: channels of the images.
        num_classes: number of classes.
        channels: channels of every convolution but the last.
        depths: convolutions before and after the pooling, the first of them the lifting one.
        kernel_size: taps along a side.
        dropout: share of the channels that are zeroed after every convolution but the last, in training.

    Source: Cohen and Welling 2016, "Group equivariant convolutional networks", section 8.1.

    Raises:
        ValueError: there is no convolution before the pooling; the sides before it are odd, which breaks equivariance;
            or nothing is left for the last convolution.
    """

    def __init__(
        self,
        group: GroupBase | None = None,
        image_size: int = 28,
        in_channels: int = 1,
        num_classes: int = 10,
        channels: int = 10,
        *,
        depths: Sequence[int] = (2, 4),
        kernel_size: int = 3,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        left = side_left(image_size, depths, kernel_size)
        group = group or CyclicGroup(4)
        self.image_size, self.in_channels = image_size, in_channels
        layers: list[nn.Module] = []
        for place in range(sum(depths)):
            layers += [SpatialPooling(2)] if place == depths[0] else []
            layers += [
                GroupConvolution(group, channels, channels, kernel_size)
                if place
                else LiftingConvolution(group, in_channels, channels, kernel_size),
                GroupBatchNorm(channels),
                nn.ReLU(),
                nn.Dropout3d(dropout),
            ]
        self.layers = nn.Sequential(*layers, *([SpatialPooling(2)] if depths[1] == 0 else []))
        self.last = GroupConvolution(group, channels, num_classes, left, bias=True)
        self.last.kernel.reset_parameters(gain=1.0)
        self.group_pooling = GroupPooling("max")

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, num_classes] of images [batch, in_channels, image_size, image_size].

        Raises:
            ValueError: the images have other channels or sides.
        """
        check_images(x, "P4CNN", channels=self.in_channels)
        if x.shape[2:] != (self.image_size, self.image_size):
            raise ValueError(
                f"P4CNN takes images of {self.image_size}x{self.image_size}: got {'x'.join(map(str, x.shape[2:]))}"
            )
        return self.group_pooling(self.last(self.layers(x))).flatten(1)


def side_left(image_size: int, depths: Sequence[int], kernel_size: int) -> int:
    """The side of the maps that the last convolution sees.

    Raises:
        ValueError: as `P4CNN`.
    """
    if len(depths) != 2 or depths[0] < 1 or depths[1] < 0:
        raise ValueError(
            f"depths are at least one convolution before the pooling, and any number after: got {list(depths)}"
        )
    before = image_size - depths[0] * (kernel_size - 1)
    if before % 2:
        raise ValueError(
            f"windows of 2 do not tile the maps of {before}x{before} that images of {image_size} have before the "
            f"pooling, which breaks equivariance: take images of {image_size - 1} or {image_size + 1}"
        )
    left = before // 2 - depths[1] * (kernel_size - 1)
    if left < 1:
        needed = image_size + 2 * (1 - left)
        raise ValueError(f"images of {image_size} leave nothing for the last convolution: take {needed} or more")
    return left
