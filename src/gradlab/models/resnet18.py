"""The residual network of 18 layers, as an encoder of small images."""

from torch import Tensor, nn

from gradlab.nn import check_images, kaiming_fan_out

CHANNELS = (64, 128, 256, 512)
"""Of each pair of blocks; the last is the size of a feature."""


class BasicBlock(nn.Module):
    """ReLU(S(x) + F(x)): F is 3x3 convolution, batch norm, ReLU, 3x3 convolution and batch norm.

    S is the identity, or a 1x1 convolution with batch norm where the shape changes.

    Args:
        c_in: channels of the input.
        c_out: channels of the output.
        stride: 2 halves the sides, rounding up.

    Source: He et al. 2016, "Deep residual learning for image recognition", figure 2 and section 3.3, option B.
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        changes = stride > 1 or c_in != c_out
        self.shortcut = (
            nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
            if changes
            else nn.Identity()
        )
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, c_out, height / stride, width / stride] for `x` [batch, c_in, height, width]."""
        return self.activation(self.shortcut(x) + self.residual(x))


class ResNet18(nn.Module):
    """A 3x3 convolution, four pairs of blocks, and the mean over all places: features of 512 numbers.

    Args:
        in_channels: channels of the images.
        width: channels of the first pair; each pair but the first doubles them. 64 is the paper's.

    Source: He et al. 2016, "Deep residual learning for image recognition", table 1, 18 layers.
    Differs from the paper: no classification layer; for small images the first convolution is 3x3 with stride 1 and
    no pooling follows it (Chen et al. 2020, "A simple framework for contrastive learning", appendix B.9).

    Raises:
        ValueError: `width` is not positive.
    """

    def __init__(self, in_channels: int = 3, width: int = CHANNELS[0]) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"ResNet18 needs at least one channel: got width {width}")
        self.in_channels = in_channels
        self.output_dim = width * CHANNELS[-1] // CHANNELS[0]
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        blocks: list[nn.Module] = []
        channels = width
        for group, wanted in enumerate(width * count // CHANNELS[0] for count in CHANNELS):
            blocks += [BasicBlock(channels, wanted, 2 if group else 1), BasicBlock(wanted, wanted)]
            channels = wanted
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        kaiming_fan_out(self)

    def forward(self, x: Tensor) -> Tensor:
        """Returns features [batch, 8 * width] of images [batch, channels, height, width].

        Raises:
            ValueError: the images have other channels, or sides that cannot be halved three times.
        """
        check_images(x, "ResNet18", channels=self.in_channels, smallest_side=8)
        return self.pool(self.blocks(self.stem(x))).flatten(1)
