"""Black or white at random."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


class Binarize:
    """Makes each pixel 1 with the probability that its brightness names, else 0; floats either way.

    A fresh draw an epoch for training, one draw kept for validation and test. Thresholding at one half instead gives
    other images, and bounds on their likelihood that must not be held beside these.

    Args:
        shape: of one image, such as (1, 28, 28).

    Source: Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", appendix D; Salakhutdinov and
    Murray 2008, "On the quantitative analysis of deep belief networks", who kept one draw for training as well.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self.uniforms = math.prod(shape)

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns images [batch, ...] of 0 and 1, given uniforms [batch, pixels].

        Args:
            images: bytes, or floats in [0, 1].
            uniforms: one number in [0, 1) for each pixel.
        """
        brightness = images / 255 if images.dtype == torch.uint8 else images
        return (uniforms.view_as(images) < brightness).to(brightness.dtype)
