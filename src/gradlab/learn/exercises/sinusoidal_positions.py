"""Positions as sines and cosines.

Write `sinusoidal_positions(length, size)` for an even size: a tensor [length, size] that tells a transformer where a
token stands. For position t and pair i = 0 .. size / 2 - 1:

    out[t, 2 i]     = sin(t / 10000^(2 i / size))
    out[t, 2 i + 1] = cos(t / 10000^(2 i / size))
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 3: positional encodings, the pattern of sine and cosine functions"
HINTS = (
    "The angles form a table [length, size / 2]: positions as a column, frequencies as a row.",
    "`frequencies = 10000 ** (-torch.arange(0, size, 2) / size)`; even columns get the sine, odd ones the cosine.",
    "`out[:, 0::2] = angles.sin(); out[:, 1::2] = angles.cos()`.",
)


def sinusoidal_positions(length: int, size: int) -> Tensor:
    """Returns [length, size], sines in even and cosines in odd columns.

    Args:
        length: number of positions, counted from 0.
        size: numbers a position, even.
    """
    ### BEGIN SOLUTION
    frequencies = 10000.0 ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(length)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, int]:
    return {"length": draw.size(3, 12), "size": 2 * draw.size(2, 5)}


def _table(
    length: int, size: int, base: float = 10000.0, exponent: float = 1.0, start: int = 0
) -> tuple[Tensor, Tensor]:
    frequencies = base ** (-exponent * torch.arange(0, size, 2) / size)
    angles = torch.arange(start, length + start)[:, None] * frequencies
    return angles.sin(), angles.cos()


def _woven(sines: Tensor, cosines: Tensor) -> Tensor:
    return torch.stack([sines, cosines], -1).flatten(1)


def _own_frequencies(length: int, size: int) -> Tensor:
    angles = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(size) / size)
    return torch.where(torch.arange(size) % 2 == 0, angles.sin(), angles.cos())


def _degrees(length: int, size: int) -> tuple[Tensor, Tensor]:
    angles = torch.deg2rad(torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, size, 2) / size))
    return angles.sin(), angles.cos()


CHECK = Check(
    case=_case,
    faults=(
        Fault("sines and cosines are swapped", "Even columns hold sines.", lambda n, d: _woven(*_table(n, d)[::-1])),
        Fault(
            "first all sines, then all cosines",
            "They alternate: columns 0::2 and 1::2.",
            lambda n, d: torch.cat(_table(n, d), 1),
        ),
        Fault(
            "the exponent is i / size instead of 2 i / size",
            "`torch.arange(0, size, 2)` counts 2 i.",
            lambda n, d: _woven(*_table(n, d, exponent=0.5)),
        ),
        Fault(
            "the exponent is doubled",
            "2 i / size: `torch.arange(0, size, 2)` counts 2 i already.",
            lambda n, d: _woven(*_table(n, d, exponent=2.0)),
        ),
        Fault(
            "the frequencies grow",
            "Divide the position by 10000^(...): the exponent is negative.",
            lambda n, d: _woven(*_table(n, d, exponent=-1.0)),
        ),
        Fault("1000 instead of 10000", "The base is 10000.", lambda n, d: _woven(*_table(n, d, base=1000.0))),
        Fault(
            "the positions are counted from 1", "The first position is 0.", lambda n, d: _woven(*_table(n, d, start=1))
        ),
        Fault("rows and columns are swapped", "A row for each position.", lambda n, d: _woven(*_table(n, d)).T),
        Fault(
            "odd columns have a frequency of their own",
            "A sine and the cosine beside it share one frequency.",
            _own_frequencies,
        ),
        Fault("only sines", "Odd columns hold cosines.", lambda n, d: _woven(_table(n, d)[0], _table(n, d)[0])),
        Fault("the angles are in degrees", "sin and cos take radians.", lambda n, d: _woven(*_degrees(n, d))),
    ),
)
