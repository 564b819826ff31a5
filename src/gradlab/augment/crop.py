"""Cropping at random and resizing, as two matrix products."""

import math

import torch
from torch import Tensor

ATTEMPTS = 10
"""How often a crop that does not fit is drawn anew before the largest one in the middle is taken, as in torchvision."""


class RandomResizedCrop:
    """Cuts a random rectangle out of every image and resizes it to `size` x `size` pixels.

    uint8 [0, 255] or float in, float out on the scale [0, 1]. Interpolation is linear along each axis, from pixels of
    the crop alone, and antialiased where the crop is larger than `size`: for the same rectangle the result is that of
    torchvision's `resized_crop` of a float tensor with `antialias=True` (crops of at most `size` do not feel it).

    The rectangle is drawn as torchvision draws it: its share of the image's area is uniform in `scale`, the logarithm
    of width over height is uniform in the logarithms of `ratio`, sides are rounded to whole pixels. Area and ratio are
    drawn until the rectangle fits, at most ten times; after that the largest rectangle of an allowed ratio in the
    middle of the image is taken. Its place is uniform over whole pixels.

    Args:
        size: side of the output, in pixels.
        scale: smallest and largest share of the area, 0 < smallest <= largest <= 1.
        ratio: smallest and largest width over height, both positive.
        dtype: of the output.

    Raises:
        ValueError: a range is empty or out of bounds.

    Source: handbook, practical 2, the training images; Szegedy et al. 2014, "Going deeper with convolutions".
    """

    uniforms = 2 * ATTEMPTS + 2

    def __init__(
        self,
        size: int,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if size < 1 or not 0 < scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(
                f"a crop needs size >= 1, 0 < scale <= 1 and 0 < ratio, each range ascending: got {size=}, {scale=}, "
                f"{ratio=}"
            )
        self.size, self.scale, self.ratio, self.dtype = size, scale, ratio, dtype

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the crops [batch, channels, size, size], given uniforms [batch, 22]."""
        return self.cropped(images, self.rectangles(uniforms, height=images.shape[-2], width=images.shape[-1]))

    def cropped(self, images: Tensor, rectangles: Tensor, mirrored: Tensor | None = None) -> Tensor:
        """Returns the crops [batch, channels, size, size] of these rectangles.

        Args:
            images: [batch, channels, height, width].
            rectangles: [batch, 4]: top, left, height, width.
            mirrored: [batch], which images are mirrored left to right beforehand.
        """
        height, width = images.shape[-2:]
        top, left, crop_height, crop_width = rectangles.unbind(1)
        down = interpolation(top, crop_height, side=height, size=self.size, dtype=self.dtype)
        across = interpolation(left, crop_width, side=width, size=self.size, dtype=self.dtype, mirrored=mirrored)
        if images.dtype == torch.uint8:
            down = down / 255
        return resample(images, down, across)

    def rectangles(self, uniforms: Tensor, *, height: int, width: int) -> Tensor:
        """The rectangles, int64 [batch, 4]: top, left, height, width, for images of `height` x `width`."""
        areas = height * width * between(uniforms[:, :ATTEMPTS], *self.scale)
        ratios = between(uniforms[:, ATTEMPTS:-2], math.log(self.ratio[0]), math.log(self.ratio[1])).exp()
        widths, heights = (areas * ratios).sqrt().round(), (areas / ratios).sqrt().round()
        fits = (widths >= 1) & (widths <= width) & (heights >= 1) & (heights <= height)
        found, crop_height, crop_width = first_fitting(heights, widths, fits)
        middle_height, middle_width = self._largest(height, width)
        crop_height = torch.where(found, crop_height, middle_height)
        crop_width = torch.where(found, crop_width, middle_width)
        top = torch.where(found, place(uniforms[:, -2], height - crop_height), (height - crop_height) / 2)
        left = torch.where(found, place(uniforms[:, -1], width - crop_width), (width - crop_width) / 2)
        return torch.stack([top, left, crop_height, crop_width], dim=1).long()

    def _largest(self, height: int, width: int) -> tuple[float, float]:
        """Height and width of the largest rectangle with an allowed ratio."""
        if width / height < self.ratio[0]:
            return float(round(width / self.ratio[0])), float(width)
        if width / height > self.ratio[1]:
            return float(height), float(round(height * self.ratio[1]))
        return float(height), float(width)


def interpolation(
    start: Tensor, length: Tensor, *, side: int, size: int, dtype: torch.dtype, mirrored: Tensor | None = None
) -> Tensor:
    """The matrices [batch, size, side] that take `length` pixels from `start` on and resize them to `size`.

    Each row holds the weights of the source pixels of one output pixel: a triangle around its position in the crop, as
    wide as a source pixel or, where the crop shrinks, as an output pixel. Where `mirrored` [batch] is true, source
    pixels are counted from the far end.
    """
    device = start.device
    outputs, sources = torch.arange(size, device=device, dtype=dtype), torch.arange(side, device=device, dtype=dtype)
    if mirrored is not None:
        sources = torch.where(mirrored.view(-1, 1, 1), side - 1 - sources, sources)
    start, length = start.to(dtype).view(-1, 1, 1), length.to(dtype).view(-1, 1, 1)
    step = length / size
    centres = start + (outputs.view(1, -1, 1) + 0.5) * step - 0.5
    weights = (sources - centres).abs_().div_(-step.clamp(min=1)).add_(1).clamp_(min=0)
    weights.mul_(((sources >= start) & (sources < start + length)).to(dtype))
    return weights.div_(weights.sum(2, keepdim=True))


def resample(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """The images [batch, channels, height, width] with every column mapped by `down` and every row by `across`.

    Args:
        images: bytes or floats; floats of the matrices' type come out.
        down: [batch, new height, height].
        across: [batch, new width, width].
    """
    batch, channels, height, width = images.shape
    rows = torch.bmm(images.to(down.dtype).reshape(batch, channels * height, width), across.transpose(1, 2))
    return torch.matmul(down.unsqueeze(1), rows.view(batch, channels, height, across.shape[1]))


def between(draws: Tensor, low: float, high: float) -> Tensor:
    """Numbers in [low, high) from draws in [0, 1)."""
    return low + (high - low) * draws


def first_fitting(heights: Tensor, widths: Tensor, fits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Whether any attempt fits, and the first one's height and width; all [batch], from attempts [batch, attempts]."""
    attempts = fits.shape[1]
    # The largest of 10, 9, ... where an attempt fits: torch's argmax along short rows takes longer than all the rest.
    left = (fits * torch.arange(attempts, 0, -1, device=fits.device)).amax(1, keepdim=True)
    first = (attempts - left).clamp(max=attempts - 1)
    return left.squeeze(1) > 0, heights.gather(1, first).squeeze(1), widths.gather(1, first).squeeze(1)


def place(draws: Tensor, largest: Tensor) -> Tensor:
    """Whole places from 0 to `largest`, all equally likely."""
    # A draw just below 1 times a whole number can round up to that number.
    return (draws * (largest + 1)).floor().minimum(largest)
