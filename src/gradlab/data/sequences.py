"""Small sequence tasks, made on the spot."""

import torch
from torch import Tensor

from gradlab.errors import UsageError

COUNTING_SYMBOLS = ("a", "b", "end")
NOT_COUNTED = -100
"""The target of a step that does not count: torch's `ignore_index`."""


def counting_sequences(size: int, *, largest: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Words a^n b^n and their end: after the first b, the rest of the word is certain to whoever has counted.

    Args:
        size: words.
        largest: n is drawn from 1 to this number, each equally likely.
        generator: what draws n.

    Returns:
        The symbols so far, int64 [size, 2 largest], as indices of `COUNTING_SYMBOLS`, filled up with ends after the
        word, and the next symbols, int64 [size, 2 largest], `NOT_COUNTED` after the word's end.

    Source: Gers and Schmidhuber 2001, "LSTM recurrent networks learn simple context-free and context-sensitive
    languages"; the task of the cheat-sheet's next-symbol network.

    Raises:
        UsageError: no word, or none of a positive length.
    """
    if size < 1 or largest < 1:
        raise UsageError(f"counting_sequences needs at least one word of one pair: got {size} and {largest}")
    return counting_words(torch.randint(1, largest + 1, (size,), generator=generator), steps=2 * largest)


def counting_words(pairs: Tensor, *, steps: int | None = None) -> tuple[Tensor, Tensor]:
    """The words a^n b^n of given n, with their ends, as `counting_sequences` returns them.

    Args:
        pairs: n of each word, at least 1, integers [size].
        steps: symbols that are read, at least twice the largest n; None for just that.

    Returns:
        The symbols so far and the next symbols, int64 [size, steps].

    Raises:
        UsageError: no word, an n below 1, or too few steps for the longest word.
    """
    if not len(pairs) or int(pairs.min()) < 1:
        raise UsageError("counting_words needs at least one word, each of at least one pair")
    needed = 2 * int(pairs.max())
    steps = needed if steps is None else steps
    if steps < needed:
        raise UsageError(f"words of up to {needed} symbols do not fit into {steps} steps")
    n, step = pairs.unsqueeze(1), torch.arange(steps + 1)
    a, b, end = range(len(COUNTING_SYMBOLS))
    word = torch.where(step < n, a, torch.where(step < 2 * n, b, end))
    targets = word[:, 1:].masked_fill(step[1:] > 2 * n, NOT_COUNTED)
    return word[:, :-1].contiguous(), targets


def reversing_sequences(
    size: int, *, length: int = 16, symbols: int = 10, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Sequences of random symbols, each symbol equally likely, and the same sequences backwards.

    Args:
        size: sequences.
        length: symbols in each.
        symbols: how many different ones there are.
        generator: what draws them.

    Returns:
        Sequences, int64 [size, length], and targets, int64 [size, length].

    Source: the solved tutorial 6, "Sequence to sequence".

    Raises:
        UsageError: a number below 1.
    """
    if min(size, length, symbols) < 1:
        raise UsageError(
            f"reversing_sequences needs sequences, positions and symbols: got {size}, {length} and {symbols}"
        )
    sequences = torch.randint(symbols, (size, length), generator=generator)
    return sequences, sequences.flip(1)
