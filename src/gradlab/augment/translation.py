"""Shifting at random by whole pixels."""

import torch
from torch import Tensor


class RandomTranslation:
    """Shifts every image by its own whole number of pixels along each axis; what comes in from outside is 0.

    The type of the pixels stays, exactly. Shifts are drawn as torchvision's `RandomAffine` draws them: uniform in
    [-share x side, share x side], rounded, so that the two outermost may be rarer than the others.

    Args:
        share: the largest shift as a share of the side, (along the width, along the height), each in [0, 1].

    Raises:
        ValueError: a share is out of its range.

    Source: handbook, practical 5, the figure of augmentations.
    """

    uniforms = 2

    def __init__(self, share: tuple[float, float]) -> None:
        if not (0 <= share[0] <= 1 and 0 <= share[1] <= 1):
            raise ValueError(f"a share of the side lies in [0, 1]: got {share=}")
        self.share = share

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the shifted images [batch, channels, height, width], given uniforms [batch, 2]."""
        return translated(images, self.parameters(uniforms, height=images.shape[-2], width=images.shape[-1]))

    def parameters(self, uniforms: Tensor, *, height: int, width: int) -> Tensor:
        """The shifts in pixels, int64 [batch, 2]: to the right, then down."""
        largest = uniforms.new_tensor([self.share[0] * width, self.share[1] * height])
        return ((2 * uniforms - 1) * largest).round().long()


def translated(images: Tensor, shifts: Tensor) -> Tensor:
    """The images [batch, channels, height, width] shifted by these pixels [batch, 2], to the right and down."""
    height, width = images.shape[-2:]
    columns = torch.arange(width, device=images.device) - shifts[:, :1]
    rows = torch.arange(height, device=images.device) - shifts[:, 1:]
    inside = ((rows >= 0) & (rows < height)).unsqueeze(2) & ((columns >= 0) & (columns < width)).unsqueeze(1)
    sources = rows.clamp(0, height - 1).unsqueeze(2) * width + columns.clamp(0, width - 1).unsqueeze(1)
    sources = sources.flatten(1).unsqueeze(1).expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, sources).view_as(images) * inside.unsqueeze(1)
