"""The densely connected network: every layer sees the outputs of all layers before it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gradlab.nn import check_images, kaiming_fan_out


class DenseLayer(nn.Module):
    """Adds `growth_rate` new channels to its input: batch norm, ReLU, 1x1 convolution, then the same with 3x3.

    Args:
        c_in: channels of the input.
        bottleneck: channels between the convolutions, as a multiple of `growth_rate`.
        growth_rate: new channels.

    Source: Huang et al. 2017, "Densely connected convolutional networks", section 3, DenseNet-B.
    """

    def __init__(self, c_in: int, bottleneck: int, growth_rate: int) -> None:
        super().__init__()
        c_between = bottleneck * growth_rate
        self.new = nn.Sequential(
            nn.BatchNorm2d(c_in),
            nn.ReLU(),
            nn.Conv2d(c_in, c_between, 1, bias=False),
            nn.BatchNorm2d(c_between),
            nn.ReLU(),
            nn.Conv2d(c_between, growth_rate, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, growth_rate + c_in, height, width] for `x` [batch, c_in, height, width]; new ones first."""
        return torch.cat([self.new(x), x], dim=1)


class Transition(nn.Sequential):
    """Batch norm, ReLU, 1x1 convolution to fewer channels, and 2x2 mean pooling, which halves the sides.

    Source: Huang et al. 2017, section 3, "Pooling layers".
    Differs from the paper: ReLU before the convolution, as in its public code.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(nn.BatchNorm2d(c_in), nn.ReLU(), nn.Conv2d(c_in, c_out, 1, bias=False), nn.AvgPool2d(2))


class DenseNet(nn.Module):
    """A 3x3 convolution, dense blocks with transitions between, the mean over all places, a linear layer.

    Each transition halves channels and sides: 32, 16, 8 and 4 pixels for four blocks.

    Args:
        num_classes: number of classes.
        num_layers: dense layers of each block.
        bn_size: channels within a layer, as a multiple of `growth_rate`.
        growth_rate: channels that each layer adds.
        in_channels: channels of the images.

    Source: Huang et al. 2017, "Densely connected convolutional networks", DenseNet-BC; the size of the University of
    Amsterdam's deep learning tutorial 5, from whose family practical 2 comes.
    Differs from the paper: He et al.'s initial weights are scaled by the fan-out.

    Raises:
        ValueError: there is no block, or a size is not positive.
    """

    def __init__(
        self,
        num_classes: int = 10,
        num_layers: Sequence[int] = (6, 6, 6, 6),
        bn_size: int = 2,
        growth_rate: int = 16,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not num_layers or min(*num_layers, bn_size, growth_rate) < 1:
            raise ValueError(
                f"every block needs layers and growth: got {list(num_layers)}, bn_size {bn_size}, growth {growth_rate}"
            )
        self.in_channels = in_channels
        self.smallest_side = 2 ** (len(num_layers) - 1)
        channels = bn_size * growth_rate
        self.stem = nn.Conv2d(in_channels, channels, 3, padding=1)
        blocks: list[nn.Module] = []
        for block, count in enumerate(num_layers):
            if block > 0:
                blocks.append(Transition(channels, channels // 2))
                channels //= 2
            blocks += [DenseLayer(channels + layer * growth_rate, bn_size, growth_rate) for layer in range(count)]
            channels += count * growth_rate
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Linear(channels, num_classes)
        kaiming_fan_out(self)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, channels, height, width].

        Raises:
            ValueError: the images have other channels, or sides that cannot be halved by every transition.
        """
        check_images(x, "DenseNet", channels=self.in_channels, smallest_side=self.smallest_side)
        features = self.blocks(self.stem(x))
        return self.head(self.pool(features).flatten(1))
