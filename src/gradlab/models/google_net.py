"""The Inception network: convolutions of several sizes side by side."""

import torch
from torch import Tensor, nn

from gradlab.nn import check_images, kaiming_fan_out

BLOCKS = (
    ((32, 16), (16, 32, 8, 8)),
    ((32, 16), (24, 48, 12, 12)),
    None,
    ((32, 16), (24, 48, 12, 12)),
    ((32, 16), (16, 48, 16, 16)),
    ((32, 16), (16, 48, 16, 16)),
    ((32, 16), (32, 48, 24, 24)),
    None,
    ((48, 16), (32, 64, 16, 16)),
    ((48, 16), (32, 64, 16, 16)),
)
"""Of each block, the channels before the 3x3 and 5x5 convolutions and those of the four branches' outputs; None
is a pooling."""
STEM_CHANNELS = 64


class InceptionBlock(nn.Module):
    """Four views of the same input, joined along the channels: 1x1, 3x3 and 5x5 convolution and 3x3 max pooling.

    A 1x1 convolution first reduces the channels for the larger kernels, and follows the pooling; each convolution has
    batch norm and ReLU behind it.

    Args:
        c_in: channels of the input.
        c_reduced: channels before the 3x3 and the 5x5 convolution.
        c_out: channels of the outputs of the 1x1, 3x3, 5x5 and pooling branch.

    Source: Szegedy et al. 2015, "Going deeper with convolutions", figure 2b.
    Differs from the paper: batch norm, which came later.
    """

    def __init__(self, c_in: int, c_reduced: tuple[int, int], c_out: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.one = _convolution(c_in, c_out[0], 1)
        self.three = nn.Sequential(_convolution(c_in, c_reduced[0], 1), _convolution(c_reduced[0], c_out[1], 3))
        self.five = nn.Sequential(_convolution(c_in, c_reduced[1], 1), _convolution(c_reduced[1], c_out[2], 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _convolution(c_in, c_out[3], 1))

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, sum of c_out, height, width] for `x` [batch, c_in, height, width]."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


class GoogleNet(nn.Module):
    """A 3x3 convolution, eight inception blocks with two poolings between, the mean over all places, a linear layer.

    The poolings halve the sides (rounding up): 32, 16 and 8 pixels.

    Args:
        num_classes: number of classes.
        in_channels: channels of the images.

    Source: Szegedy et al. 2015, "Going deeper with convolutions"; the size for CIFAR of the University of Amsterdam's
    deep learning tutorial 5, from whose family practical 2 comes.
    Differs from the paper: smaller, without its auxiliary classifiers and dropout; He et al.'s initial weights, scaled
    by the fan-out.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.stem = _convolution(in_channels, STEM_CHANNELS, 3)
        blocks: list[nn.Module] = []
        channels = STEM_CHANNELS
        for sizes in BLOCKS:
            if sizes is None:
                blocks.append(nn.MaxPool2d(3, stride=2, padding=1))
            else:
                blocks.append(InceptionBlock(channels, *sizes))
                channels = sum(sizes[1])
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(channels, num_classes)
        kaiming_fan_out(self)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, channels, height, width].

        Raises:
            ValueError: the images have other channels, or sides that cannot be halved twice.
        """
        check_images(x, "GoogleNet", channels=self.in_channels, smallest_side=4)
        features = self.blocks(self.stem(x))
        return self.head(self.pool(features).flatten(1))


def _convolution(c_in: int, c_out: int, kernel_size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel_size, padding=kernel_size // 2), nn.BatchNorm2d(c_out), nn.ReLU()
    )
