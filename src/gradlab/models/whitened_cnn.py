"""A small convolutional network made to be trained in seconds: its first filters are the data's own axes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.nn import check_images

PATCH = 2
"""Side of the whitened patches, in pixels."""
EPSILON = 5e-4


class ShiftedBatchNorm(nn.BatchNorm2d):
    """Batch norm with a bias and no weight, whose running statistics follow fast.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-12, momentum=0.4, affine=False)
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, input: Tensor) -> Tensor:
        """Returns `input` [batch, channels, height, width], normalised and shifted."""
        return super().forward(input) + self.shift.view(-1, 1, 1)


class WhitenedCNN(nn.Module):
    """Whitening of 2x2 patches, three groups of two convolutions, the largest value over all places, a linear layer.

    A group is convolution, pooling, batch norm, GELU, convolution, batch norm, GELU. Convolutions begin by passing
    their input through; the last layer takes a mean over the features, with weights that begin at a deviation of 1.
    The whitening filters are fixed: they are a buffer, drawn at random until `whiten` sets them from data.

    Args:
        in_channels: channels of the images.
        num_classes: logits of an image.
        widths: channels of the groups.

    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3 and appendix A; the
    last layer: his later `airbench94_muon.py`.

    Raises:
        ValueError: a width is not positive.
    """

    whitening: Tensor

    def __init__(self, in_channels: int = 3, num_classes: int = 10, widths: tuple[int, ...] = (64, 256, 256)) -> None:
        super().__init__()
        if not widths or min(widths) < 1:
            raise ValueError(f"WhitenedCNN needs groups of at least one channel: got {list(widths)}")
        self.in_channels = in_channels
        axes = in_channels * PATCH**2
        self.register_buffer("whitening", torch.randn(2 * axes, in_channels, PATCH, PATCH) / axes**0.5)
        self.whitening_bias = nn.Parameter(torch.zeros(2 * axes))
        groups: list[nn.Module] = []
        channels = 2 * axes
        for width in widths:
            groups += [
                passing_convolution(channels, width), nn.MaxPool2d(2), ShiftedBatchNorm(width), nn.GELU(),
                passing_convolution(width, width), ShiftedBatchNorm(width), nn.GELU(),
            ]  # fmt: skip
            channels = width
        self.groups = nn.Sequential(*groups)
        self.smallest_side = 2 ** len(widths) + PATCH - 1
        self.head = nn.Linear(channels, num_classes, bias=False)
        with torch.no_grad():
            self.head.weight /= self.head.weight.std()

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, num_classes] of images [batch, channels, height, width].

        Raises:
            ValueError: the images have other channels, or are too small to be halved by every group.
        """
        check_images(x, "WhitenedCNN", channels=self.in_channels, smallest_side=self.smallest_side)
        white = F.gelu(F.conv2d(x, self.whitening, self.whitening_bias))
        features = self.groups(white).amax((2, 3))
        return self.head(features) / features.shape[1]

    @torch.no_grad()
    def whiten(self, filters: Tensor) -> "WhitenedCNN":
        """Takes the filters that `whitening_filters` computed; returns the network."""
        self.whitening.copy_(filters)
        return self


def passing_convolution(c_in: int, c_out: int) -> nn.Conv2d:
    """A 3x3 convolution whose first output channels begin as its input channels; the others are drawn."""
    convolution = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(convolution.weight[:c_in])
    return convolution


def whitening_filters(images: Tensor) -> Tensor:
    """Filters whose outputs on 2x2 patches have unit variance and no correlation; then the same ones negated.

    Args:
        images: [samples, channels, height, width], as a network takes them.

    Returns:
        [2 * channels * 4, channels, 2, 2], from the axis of the largest variance to that of the smallest.

    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3.2.
    """
    wide = images.double()
    patches = F.unfold(wide, PATCH).transpose(1, 2).reshape(-1, images.shape[1] * PATCH**2)
    variances, axes = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (axes / (variances + EPSILON).sqrt()).T.flip(0)
    # An axis has no direction: one is fixed, so that machines agree.
    filters = filters * filters.gather(1, filters.abs().argmax(1, keepdim=True)).sign()
    return torch.cat([filters, -filters]).view(-1, images.shape[1], PATCH, PATCH).to(images.dtype)


class SixViews(nn.Module):
    """What a network says of an image, averaged over the image, two shifts by one pixel, and their mirror images.

    The image itself counts as much as both shifts. What comes in from outside is reflected.

    Args:
        network: gives logits of images.

    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3.5.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, classes] of images [batch, channels, height, width]."""
        padded = F.pad(x, (1, 1, 1, 1), "reflect")
        height, width = x.shape[-2:]
        moved = (padded[..., :height, :width], padded[..., 2:, 2:])
        return self._mirrored(x) / 2 + sum(self._mirrored(view) for view in moved) / 4

    def _mirrored(self, x: Tensor) -> Tensor:
        return (self.network(x) + self.network(x.flip(-1))) / 2
