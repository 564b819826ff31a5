"""Mirroring every other epoch, and shifts that reflect the border."""

import torch
from torch import Tensor

from gradlab.augment.flip import RandomHorizontalFlip


class AlternatingFlip(RandomHorizontalFlip):
    """Mirrors half of the images in the first epoch, chosen at random, and the other half in the next, in turn.

    So any two epochs in a row show each image both ways, where independent flips show half of the images the same way
    twice. The training loop moves this transform's random number by a half from epoch to epoch, as
    `alternating` tells it to; by itself it is a random flip.

    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3.6.
    """

    alternating = (0,)
    """The columns of random numbers that are those of the first epoch, moved by a half at every further one."""

    def __init__(self) -> None:
        super().__init__(0.5)


class ReflectedTranslation:
    """Shifts every image by its own whole number of pixels along each axis; the border is reflected into what is left.

    The type of the pixels stays, exactly. All shifts from `-pixels` to `pixels` are equally likely.

    Args:
        pixels: the largest shift.

    Raises:
        ValueError: the shift is negative, or at a call, the images have no more pixels than that.

    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3.1; the padding of He et al. 2016
    with reflections for zeros.
    """

    uniforms = 2

    def __init__(self, pixels: int) -> None:
        if pixels < 0:
            raise ValueError(f"a shift must be 0 pixels or more: got {pixels}")
        self.pixels = pixels

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the shifted images [batch, channels, height, width], given uniforms [batch, 2]."""
        height, width = images.shape[-2:]
        if self.pixels >= min(height, width):
            raise ValueError(f"images of {height}x{width} cannot be shifted by {self.pixels} pixels and reflected")
        right, down = self.parameters(uniforms).unbind(1)
        columns, rows = reflected(right, width), reflected(down, height)
        sources = (rows.unsqueeze(2) * width + columns.unsqueeze(1)).flatten(1).unsqueeze(1)
        return images.flatten(2).gather(2, sources.expand(-1, images.shape[1], -1)).view_as(images)

    def parameters(self, uniforms: Tensor) -> Tensor:
        """The shifts in pixels, int64 [batch, 2]: to the right, then down."""
        return (uniforms * (2 * self.pixels + 1)).long() - self.pixels


def reflected(shifts: Tensor, side: int) -> Tensor:
    """From which place of a row of `side` pixels each place is taken, int64 [batch, side], for shifts [batch]."""
    places = torch.arange(side, device=shifts.device) - shifts.unsqueeze(1)
    return (side - 1) - ((side - 1) - places.abs()).abs()
