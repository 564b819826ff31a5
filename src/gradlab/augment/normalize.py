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
        self._planes: dict[tuple[bool, torch.device, int, int], tuple[Tensor, Tensor]] = {}

    def __call__(self, images: Tensor, uniforms: Tensor | None = None) -> Tensor:
        """Returns the normalised images; `uniforms` is not read."""
        shift, scale = self._spread(images)
        values = images.to(self.dtype)
        # Bytes were copied to floats just now: these are overwritten, as fresh memory costs more than the arithmetic.
        return torch.addcmul(shift, values, scale, out=values if images.dtype == torch.uint8 else None)

    def _spread(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Shift and scale of each pixel, [channels, height, width]: faster than to spread one number a channel."""
        height, width = images.shape[-2:]
        key = images.dtype == torch.uint8, images.device, height, width
        if key not in self._planes:
            numbers = self._shift, self._scale_of[key[0]]
            with torch.inference_mode(False):  # they outlive the call, which may be one of inference
                shift, scale = (each.to(images.device).expand(-1, height, width).contiguous() for each in numbers)
            self._planes[key] = shift, scale
        return self._planes[key]
