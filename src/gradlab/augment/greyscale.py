"""Colour taken away at random."""

import torch
from torch import Tensor

from gradlab.augment.pixels import grey, to_floats


class RandomGrayscale:
    """Makes an image grey with probability `p`, all its channels the same.

    uint8 [0, 255] or float in, float out on the scale [0, 1]. One channel is grey already.

    Args:
        p: the share of images that are made grey, in [0, 1].
        dtype: of the output.

    Raises:
        ValueError: `p` is not a probability.

    Source: handbook, practical 5.
    """

    uniforms = 1

    def __init__(self, p: float = 0.1, *, dtype: torch.dtype = torch.float32) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a probability: got {p}")
        self.p, self.dtype = p, dtype

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the images [batch, 1 or 3, height, width], some grey, given uniforms [batch, 1]."""
        images = to_floats(images, self.dtype)
        chosen = self.parameters(uniforms).to(self.dtype).view(-1, 1, 1, 1)
        return torch.lerp(images, grey(images), chosen)  # a choice, exactly, and in half the time of torch.where

    def parameters(self, uniforms: Tensor) -> Tensor:
        """Which images become grey, [batch]."""
        return uniforms[:, 0] < self.p
