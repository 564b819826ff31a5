"""The residual network as it was first published, with an activation after each sum."""

from collections.abc import Sequence

from torch import Tensor, nn

from gradlab.nn import check_images, kaiming_fan_out


class ResNetBlock(nn.Module):
    """ReLU(x + F(x)), where F is 3x3 convolution, batch norm, ReLU, 3x3 convolution and batch norm.

    A block that subsamples halves the sides (rounding up) in its first convolution; its shortcut becomes a 1x1
    convolution with stride 2.

    Args:
        c_in: channels of the input.
        subsample: halves the sides.
        c_out: channels of the output where the block subsamples; else they stay `c_in`.

    Source: He et al. 2016, "Deep residual learning for image recognition", figure 2 and section 4.2, option B;
    handbook, practical 2, "The original ResNet block".
    Differs from the paper: the shortcut's convolution has a bias and no batch norm.

    Raises:
        ValueError: the block subsamples, but `c_out` is not positive.
    """

    def __init__(self, c_in: int, subsample: bool = False, c_out: int = -1) -> None:
        super().__init__()
        c_out = c_out if subsample else c_in
        if c_out < 1:
            raise ValueError(f"a block that subsamples needs at least one output channel: got c_out {c_out}")
        stride = 2 if subsample else 1
        self.residual = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        self.shortcut = nn.Conv2d(c_in, c_out, 1, stride) if subsample else nn.Identity()
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, c_out, height / stride, width / stride] for `x` [batch, c_in, height, width]."""
        return self.activation(self.shortcut(x) + self.residual(x))


class PostActivationResNet(nn.Module):
    """A 3x3 convolution with batch norm and ReLU, groups of blocks, the mean over all places, a linear layer.

    The first block of every group but the first halves the sides: 32, 16 and 8 pixels for three groups.

    Args:
        num_classes: number of classes.
        num_blocks: blocks of each group.
        c_hidden: channels of each group.
        in_channels: channels of the images.

    Source: He et al. 2016, "Deep residual learning for image recognition", section 4.2.

    Raises:
        ValueError: the groups are not described by as many blocks as channels.
    """

    def __init__(
        self,
        num_classes: int = 10,
        num_blocks: Sequence[int] = (3, 3, 3),
        c_hidden: Sequence[int] = (16, 32, 64),
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not num_blocks or len(num_blocks) != len(c_hidden) or min(*num_blocks, *c_hidden) < 1:
            raise ValueError(f"every group needs blocks and channels: got {list(num_blocks)} and {list(c_hidden)}")
        self.in_channels = in_channels
        self.smallest_side = 2 ** (len(num_blocks) - 1)
        channels = c_hidden[0]
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        blocks: list[nn.Module] = []
        for group, (count, wanted) in enumerate(zip(num_blocks, c_hidden, strict=True)):
            for block in range(count):
                blocks.append(ResNetBlock(channels, subsample=block == 0 and group > 0, c_out=wanted))
                channels = wanted
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(channels, num_classes)
        kaiming_fan_out(self)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, channels, height, width].

        Raises:
            ValueError: the images have other channels, or sides that cannot be halved for every group.
        """
        check_images(x, "PostActivationResNet", channels=self.in_channels, smallest_side=self.smallest_side)
        features = self.blocks(self.stem(x))
        return self.head(self.pool(features).flatten(1))
