"""Mirroring at random."""

import torch
from torch import Tensor


class RandomHorizontalFlip:
    """Mirrors an image left to right with probability `p`; the type of the pixels stays, exactly.

    Args:
        p: the share of images that are mirrored, in [0, 1].

    Raises:
        ValueError: `p` is not a probability.

    Source: handbook, practical 2, the training images.
    """

    uniforms = 1

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a probability: got {p}")
        self.p = p

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the images [batch, channels, height, width], some mirrored, given uniforms [batch, 1]."""
        return torch.where(self.parameters(uniforms).view(-1, 1, 1, 1), images.flip(-1), images)

    def parameters(self, uniforms: Tensor) -> Tensor:
        """Which images are mirrored, [batch]."""
        return uniforms[:, 0] < self.p
