"""Symbols as features."""

import torch
from torch import Tensor


def one_hot(tokens: Tensor, symbols: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A one for each token's own symbol and zeros for the others, [..., symbols].

    Made by comparison: `torch.nn.functional.one_hot` looks at its input's values, which vmap does not allow. A token
    outside of [0, symbols) gives nothing but zeros.

    Args:
        tokens: integers [...].
        symbols: how many there are.
        dtype: of the result.
    """
    return (tokens.unsqueeze(-1) == torch.arange(symbols, device=tokens.device)).to(dtype)


def as_features(sequence: Tensor, width: int, dtype: torch.dtype) -> Tensor:
    """A sequence as [..., time, width]: integer tokens [..., time] as one-hot vectors, features as they are.

    Raises:
        ValueError: the features have another width.
    """
    if not sequence.is_floating_point():
        return one_hot(sequence, width, dtype)
    if sequence.shape[-1] != width:
        raise ValueError(f"each step of a sequence must have {width} features: got {tuple(sequence.shape)}")
    return sequence
