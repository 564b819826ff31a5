"""Small random rotations, translations and rescalings."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


class SmallAffine:
    """Rotates, shifts and rescales every image by its own small random amounts, about the centre, in one warp.

    uint8 [0, 255] or float in, float out on the scale [0, 1]; bilinear; what comes from outside the image is 0.

    Args:
        degrees: rotation is uniform in [-degrees, degrees].
        translate: shift along each axis, uniform in [-translate, translate] pixels of the image as it comes, before it
            is turned and rescaled.
        scale: the scale factor is uniform in [1 - scale, 1 + scale], 0 <= scale < 1.
        dtype: of the output.

    Raises:
        ValueError: a range is negative, or `scale` reaches 1.
    """

    uniforms = 4

    def __init__(self, *, degrees: float, translate: float, scale: float, dtype: torch.dtype = torch.float32) -> None:
        if not (degrees >= 0 and translate >= 0 and 0 <= scale < 1):
            raise ValueError(f"ranges must be >= 0 and scale < 1: got {degrees=}, {translate=}, {scale=}")
        self.degrees, self.translate, self.scale, self.dtype = degrees, translate, scale, dtype

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the warped images [batch, channels, height, width], given uniforms [batch, 4]."""
        pixels = images.to(self.dtype) / 255 if images.dtype == torch.uint8 else images.to(self.dtype)
        matrices = self.inverse_matrices(uniforms, height=images.shape[-2], width=images.shape[-1])
        grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
        return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def inverse_matrices(self, uniforms: Tensor, *, height: int, width: int) -> Tensor:
        """The maps from output to input coordinates, [batch, 2, 3], in torch's coordinates from -1 to 1."""
        signed = uniforms.to(self.dtype) * 2 - 1
        angle = signed[:, 0] * math.radians(self.degrees)
        factor = 1 + signed[:, 1] * self.scale
        shift_x, shift_y = signed[:, 2] * self.translate * 2 / width, signed[:, 3] * self.translate * 2 / height
        cosine, sine = torch.cos(angle) / factor, torch.sin(angle) / factor
        # Both sides run from -1 to 1, so turning a picture that is not square mixes them by its shape.
        ratio = height / width
        rows = torch.stack([cosine, -sine * ratio, shift_x, sine / ratio, cosine, shift_y], dim=1)
        return rows.view(-1, 2, 3)
