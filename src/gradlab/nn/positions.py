"""Where in a sequence a token stands."""

import torch
from torch import Tensor, nn

LONGEST_WAVE = 10_000.0


def sinusoidal_positions(length: int, features: int) -> Tensor:
    """Sines and cosines of each position, [length, features]: columns 2i and 2i + 1 have one wavelength.

    Wavelengths form a geometric series from 2 pi to 10,000 x 2 pi, so a shift by k positions is the same rotation of
    each pair of columns wherever it starts.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.5.

    Raises:
        ValueError: an odd number of features, which leaves a sine without its cosine.
    """
    if features < 2 or features % 2:
        raise ValueError(f"sinusoidal positions need an even number of features: got {features}")
    waves = LONGEST_WAVE ** (-torch.arange(0, features, 2, dtype=torch.float64) / features)
    angles = torch.arange(length, dtype=torch.float64).unsqueeze(-1) * waves
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2).to(torch.get_default_dtype())


class PositionalEncoding(nn.Module):
    """Adds the sinusoidal positions to a sequence of features.

    Args:
        d_model: features of a token, even.
        max_len: the longest sequence.

    Source: Vaswani et al. 2017, section 3.5.
    """

    table: Tensor

    def __init__(self, d_model: int, max_len: int = 5000) -> None:
        super().__init__()
        self.register_buffer("table", sinusoidal_positions(max_len, d_model), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns tokens [..., time, features] with their positions added.

        Raises:
            ValueError: the sequence is longer than the table.
        """
        time, longest = tokens.shape[-2], len(self.table)
        if time > longest:
            raise ValueError(f"positions are known for sequences of at most {longest} tokens: got {time}")
        return tokens + self.table[:time]
