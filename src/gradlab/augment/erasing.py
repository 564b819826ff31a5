"""Blotting out a rectangle at random."""

import math

import torch
from torch import Tensor

from gradlab.augment.crop import ATTEMPTS, between, first_fitting, place


class RandomErasing:
    """Puts one value in place of a random rectangle of an image, with probability `p`; the type of the pixels stays.

    The rectangle is drawn as torchvision draws it: its share of the image's area is uniform in `scale`, the logarithm
    of height over width is uniform in the logarithms of `ratio`, sides are rounded to whole pixels and are smaller than
    the image's; area and ratio are drawn until the rectangle fits, at most ten times, and an image where none fits
    stays. Its place is uniform over whole pixels.

    Args:
        p: the share of images that lose a rectangle, in [0, 1].
        scale: smallest and largest share of the area, 0 < smallest <= largest <= 1.
        ratio: smallest and largest height over width, both positive.
        value: of every pixel and channel of the rectangle, on the scale of the images; 0 after `Normalize` is the mean.

    Raises:
        ValueError: `p` is not a probability, or a range is empty or out of bounds.

    Source: handbook, practical 5, the figure of augmentations (cutout); Zhong et al. 2017, "Random erasing data
    augmentation", algorithm 1.
    """

    uniforms = 1 + 2 * ATTEMPTS + 2

    def __init__(
        self,
        p: float = 0.5,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        *,
        value: float = 0,
    ) -> None:
        if not (0 <= p <= 1 and 0 < scale[0] <= scale[1] <= 1 and 0 < ratio[0] <= ratio[1]):
            raise ValueError(
                f"erasing needs a probability p, 0 < scale <= 1 and 0 < ratio, each range ascending: got {p=}, "
                f"{scale=}, {ratio=}"
            )
        self.p, self.scale, self.ratio, self.value = p, scale, ratio, value

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the images [batch, channels, height, width], some with a blot, given uniforms [batch, 23]."""
        rectangles = self.parameters(uniforms, height=images.shape[-2], width=images.shape[-1])
        return erased(images, rectangles, self.value)

    def parameters(self, uniforms: Tensor, *, height: int, width: int) -> Tensor:
        """The rectangles, int64 [batch, 4]: top, left, height, width, the last two 0 where nothing is erased."""
        draws = uniforms[:, 1:]
        areas = height * width * between(draws[:, :ATTEMPTS], *self.scale)
        ratios = between(draws[:, ATTEMPTS:-2], math.log(self.ratio[0]), math.log(self.ratio[1])).exp()
        heights, widths = (areas * ratios).sqrt().round(), (areas / ratios).sqrt().round()
        found, tall, wide = first_fitting(heights, widths, (heights < height) & (widths < width))
        erases = found & (uniforms[:, 0] < self.p)
        tall, wide = torch.where(erases, tall, 0), torch.where(erases, wide, 0)
        top, left = place(draws[:, -2], height - tall), place(draws[:, -1], width - wide)
        return torch.stack([top, left, tall, wide], dim=1).long()


def erased(images: Tensor, rectangles: Tensor, value: float = 0) -> Tensor:
    """The images [batch, channels, height, width] with `value` in these rectangles [batch, 4]."""
    top, left, tall, wide = rectangles.unsqueeze(2).unbind(1)
    rows = torch.arange(images.shape[-2], device=images.device)
    columns = torch.arange(images.shape[-1], device=images.device)
    inside = ((rows >= top) & (rows < top + tall)).unsqueeze(2) & (
        (columns >= left) & (columns < left + wide)
    ).unsqueeze(1)
    return images.masked_fill(inside.unsqueeze(1), value)
