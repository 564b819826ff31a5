"""Exclusive or of two noisy bits: the smallest problem that no linear classifier solves."""

import torch
from torch import Tensor
from torch.utils.data import Dataset


class XORDataset(Dataset[tuple[Tensor, Tensor]]):
    """Points around the corners of the unit square; the label is 1 where exactly one of the two bits is.

    `data` holds the points, float32 [size, 2], `label` their labels, int64 [size].

    Args:
        size: points.
        std: standard deviation of the noise on each coordinate.
        generator: what draws the points; None takes torch's global generator, as the handbook does. Train and test
            points need two streams: of one seed the shorter set's bits are the longer one's first bits.

    Source: handbook, introduction to PyTorch, "The dataset class".
    Differs from the handbook: a generator can be given, so that the points are the same each time.

    Raises:
        ValueError: no point, or a negative deviation.
    """

    def __init__(self, size: int, std: float = 0.1, *, generator: torch.Generator | None = None) -> None:
        if size < 1 or std < 0:
            raise ValueError(f"XORDataset needs at least one point and no negative deviation: got {size} and {std}")
        self.size = size
        self.std = std
        self.generate_continuous_xor(generator)

    def generate_continuous_xor(self, generator: torch.Generator | None = None) -> None:
        """Draws all points anew."""
        bits = torch.randint(0, 2, (self.size, 2), generator=generator)
        self.label = (bits.sum(dim=1) == 1).to(torch.int64)
        self.data = bits.float() + self.std * torch.randn(self.size, 2, generator=generator)

    def __len__(self) -> int:
        """How many points there are."""
        return self.size

    def __getitem__(self, idx: int) -> tuple[Tensor, Tensor]:
        """The point [2] and its label [] at a position."""
        return self.data[idx], self.label[idx]
