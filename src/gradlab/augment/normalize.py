"""From bytes to numbers of zero mean and unit deviation."""

from collections.abc import Sequence

import torch
from torch import Tensor


class Normalize:
    """uint8 [batch, channels, height, width] to floats: (pixel / 255 - mean) / standard deviation, channel by channel.

    Floats in [0, 1] (an earlier transform's output) are taken as they are, without the division by 255.

    Args:
        mean: of each channel, in [0, 1].
        standard_deviation: of each channel, positive.
        dtype: of the output.

    Raises:
        ValueError: lengths differ or a deviation is not positive.
    """

    uniforms = 0

    def __init__(
        self, mean: Sequence[float], standard_deviation: Sequence[float], *, dtype: torch.dtype = torch.float32
    ) -> None:
        if len(mean) != len(standard_deviation) or not all(value > 0 for value in standard_deviation):
            raise ValueError(f"one mean and one positive deviation a channel: got {mean} and {standard_deviation}")
        self.mean, self.standard_deviation, self.dtype = tuple(mean), tuple(standard_deviation), dtype
        shape = (len(mean), 1, 1)
        deviation = torch.tensor(standard_deviation, dtype=torch.float64).view(shape)
        self._shift = (-torch.tensor(mean, dtype=torch.float64).view(shape) / deviation).to(dtype)
        self._scale_of = {True: (1 / 255 / deviation).to(dtype), False: (1 / deviation).to(dtype)}

    def __call__(self, images: Tensor, uniforms: Tensor | None = None) -> Tensor:
        """Returns the normalised images; `uniforms` is not read."""
        if images.device != self._shift.device:
            self._shift = self._shift.to(images.device)
            self._scale_of = {key: scale.to(images.device) for key, scale in self._scale_of.items()}
        scale = self._scale_of[images.dtype == torch.uint8]
        return torch.addcmul(self._shift, images.to(self.dtype), scale)
