"""Blurring at random, as two matrix products."""

import torch
from torch import Tensor

from gradlab.augment.crop import resample
from gradlab.augment.pixels import to_floats


class GaussianBlur:
    """Blurs every image by a Gaussian bell of its own width.

    uint8 [0, 255] or float in, float out on the scale [0, 1]. The bell is cut to `kernel_size` pixels, its weights sum
    to 1, and the image goes on beyond its edges as in a mirror (the edge itself once), as in torchvision.

    Args:
        kernel_size: pixels along a side of the bell, odd; its half must be smaller than the images.
        sigma: smallest and largest standard deviation in pixels, drawn uniformly.
        dtype: of the output.

    Raises:
        ValueError: the kernel is even, or the range is empty or reaches 0.

    Source: handbook, practical 5; Chen et al. 2020, "A simple framework for contrastive learning", appendix A.
    Differs from the paper: every image is blurred, as the handbook does, not every other one.
    """

    uniforms = 1

    def __init__(
        self, kernel_size: int, sigma: tuple[float, float] = (0.1, 2.0), *, dtype: torch.dtype = torch.float32
    ) -> None:
        if kernel_size < 1 or kernel_size % 2 == 0 or not 0 < sigma[0] <= sigma[1]:
            raise ValueError(
                f"a blur needs an odd kernel_size and 0 < sigma, a range ascending: got {kernel_size=}, {sigma=}"
            )
        self.kernel_size, self.sigma, self.dtype = kernel_size, sigma, dtype

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the blurred images [batch, channels, height, width], given uniforms [batch, 1].

        Raises:
            ValueError: an image is too small for half the bell.
        """
        return blurred(to_floats(images, self.dtype), self.parameters(uniforms), self.kernel_size)

    def parameters(self, uniforms: Tensor) -> Tensor:
        """The standard deviations in pixels, [batch]."""
        return self.sigma[0] + (self.sigma[1] - self.sigma[0]) * uniforms[:, 0].to(self.dtype)


def check_bell(kernel_size: int, height: int, width: int) -> None:
    """Raises ValueError if images are so small that half the bell would reach beyond their mirror image."""
    if kernel_size // 2 >= min(height, width):
        raise ValueError(f"images of {height}x{width} are too small for a kernel of {kernel_size}: take a smaller one")


def bell(sigma: Tensor, kernel_size: int) -> Tensor:
    """The weights of the bells with these standard deviations, [batch, kernel_size], each with sum 1."""
    places = torch.arange(kernel_size, device=sigma.device, dtype=sigma.dtype) - kernel_size // 2
    weights = torch.exp(-0.5 * (places / sigma.unsqueeze(1)).square())
    return weights / weights.sum(1, keepdim=True)


def blurred(images: Tensor, sigma: Tensor, kernel_size: int) -> Tensor:
    """The float images [batch, channels, height, width] blurred by bells of these widths [batch].

    Raises:
        ValueError: an image is too small for half the bell.
    """
    height, width = images.shape[-2:]
    check_bell(kernel_size, height, width)
    weights = bell(sigma, kernel_size)
    down = (weights @ _places(height, weights)).view(-1, height, height)
    across = (weights @ _places(width, weights)).view(-1, width, width)
    return resample(images, down, across)


def _places(side: int, weights: Tensor) -> Tensor:
    """Where each weight of a bell goes in the matrix that blurs one axis: [kernel_size, side x side] of 0 and 1."""
    size, pixels = weights.shape[1], torch.arange(side, device=weights.device)
    offsets = torch.arange(size, device=weights.device).view(-1, 1, 1) - size // 2
    mirrored = (side - 1) - ((side - 1) - (pixels.view(1, -1, 1) + offsets).abs()).abs()
    return (mirrored == pixels).flatten(1).to(weights.dtype)
