"""Turning at random."""

import torch
from torch import Tensor
from torch.nn import functional as F

from gradlab.augment.pixels import to_floats


class RandomRotation:
    """Turns every image about its centre by its own random angle.

    uint8 [0, 255] or float in, float out on the scale [0, 1]; bilinear; what comes from outside the image is 0.
    `SmallAffine` turns, shifts and rescales in one go.

    Args:
        degrees: angles are uniform in [-degrees, degrees], counter-clockwise where positive.
        dtype: of the output.

    Raises:
        ValueError: `degrees` is negative.

    Source: handbook, practical 5, the figure of augmentations; Chen et al. 2020, "A simple framework for contrastive
    learning", figure 4. Differs from the paper: any angle, not quarter turns alone.
    """

    uniforms = 1

    def __init__(self, degrees: float, *, dtype: torch.dtype = torch.float32) -> None:
        if not degrees >= 0:
            raise ValueError(f"degrees must be >= 0: got {degrees}")
        self.degrees, self.dtype = degrees, dtype

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the turned images [batch, channels, height, width], given uniforms [batch, 1]."""
        return rotated(to_floats(images, self.dtype), self.parameters(uniforms))

    def parameters(self, uniforms: Tensor) -> Tensor:
        """The angles in degrees, [batch]."""
        return (2 * uniforms[:, 0].to(self.dtype) - 1) * self.degrees


def rotated(images: Tensor, degrees: Tensor) -> Tensor:
    """The float images [batch, channels, height, width] turned counter-clockwise by these angles [batch]."""
    angle, nothing = torch.deg2rad(degrees), torch.zeros_like(degrees)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    # Both sides run from -1 to 1, so turning a picture that is not square mixes them by its shape.
    ratio = images.shape[-2] / images.shape[-1]
    matrices = torch.stack([cosine, -sine * ratio, nothing, sine / ratio, cosine, nothing], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
