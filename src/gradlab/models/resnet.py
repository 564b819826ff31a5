"""The residual network with pre-activation blocks."""

from collections.abc import Sequence

from torch import Tensor, nn

from gradlab.nn import check_images, kaiming_fan_out


class PreActResNetBlock(nn.Module):
    """x + F(x), where F is batch norm, ReLU and 3x3 convolution, twice: the shortcut is never touched by a ReLU.

    A block that subsamples halves the sides (rounding up) in its first convolution; its shortcut becomes batch norm,
    ReLU and a 1x1 convolution with stride 2.

    Args:
        c_in: channels of the input.
        subsample: halves the sides.
        c_out: channels of the output where the block subsamples; else they stay `c_in`.

    Source: He et al. 2016, "Identity mappings in deep residual networks", figure 1b; handbook, practical 2, part 1.
    Differs from the paper: batch norm and ReLU before the 1x1 convolution are the shortcut's own.

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
            nn.BatchNorm2d(c_in),
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
        )
        self.shortcut = nn.Identity()
        if subsample:
            self.shortcut = nn.Sequential(
                nn.BatchNorm2d(c_in), nn.ReLU(), nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, c_out, height / stride, width / stride] for `x` [batch, c_in, height, width]."""
        return self.shortcut(x) + self.residual(x)


class ResNet(nn.Module):
    """A 3x3 convolution, groups of pre-activation blocks, the mean over all places, a linear layer.

    The first block of every group but the first halves the sides: 32, 16 and 8 pixels for three groups.

    Args:
        num_classes: number of classes.
        num_blocks: blocks of each group.
        c_hidden: channels of each group.
        in_channels: channels of the images.

    Source: He et al. 2016, "Identity mappings in deep residual networks"; handbook, practical 2, part 1.
    Differs from the paper: neither batch norm nor ReLU between the last block and the mean.

    Raises:
        ValueError: the groups are not described by as many blocks as channels.
    """

    def __init__(
        self,
        num_classes: int = 10,
        num_blocks: Sequence[int] = (3, 3, 3),
        c_hidden: Sequence[int] = (16, 24, 32),
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not num_blocks or len(num_blocks) != len(c_hidden) or min(*num_blocks, *c_hidden) < 1:
            raise ValueError(f"every group needs blocks and channels: got {list(num_blocks)} and {list(c_hidden)}")
        self.in_channels = in_channels
        self.smallest_side = 2 ** (len(num_blocks) - 1)
        self.stem = nn.Conv2d(in_channels, c_hidden[0], 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        channels = c_hidden[0]
        for group, (count, wanted) in enumerate(zip(num_blocks, c_hidden, strict=True)):
            for block in range(count):
                blocks.append(PreActResNetBlock(channels, subsample=block == 0 and group > 0, c_out=wanted))
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
        check_images(x, "ResNet", channels=self.in_channels, smallest_side=self.smallest_side)
        features = self.blocks(self.stem(x))
        return self.head(self.pool(features).flatten(1))
