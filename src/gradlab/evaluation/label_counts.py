"""How many labels of each class there are to learn from, and which images they belong to."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from gradlab.errors import UsageError

LABEL_COUNTS = (10, 20, 50, 100, 200, 500)
"""The handbook's numbers of labels of each class."""


def label_counts(labels: Tensor, asked: Sequence[int] = ()) -> tuple[int, ...]:
    """The numbers of labels of each class that are asked for, or the handbook's, as far as a split has so many.

    Where it has fewer than the handbook's largest number, all that it has of its rarest class come last, and a warning
    tells of it: STL-10 has 500 of each class, of which 450 are left beside a validation split.

    Args:
        labels: of the train split.
        asked: numbers that must be there; none leaves the choice to the split.

    Source: handbook, practical 5, part 2. Differs from the handbook: it learns from all 500 of STL-10, since its test
    images select.

    Raises:
        UsageError: a number that is asked for is not there, or below 1.
    """
    if asked:
        if min(asked) < 1:
            raise UsageError(f"--labels must be at least 1: got {min(asked)}")
        first_of_each(labels, max(asked))
        return tuple(asked)
    there = int(labels.unique(return_counts=True)[1].min())
    if there >= LABEL_COUNTS[-1]:
        return LABEL_COUNTS
    counts = (*(count for count in LABEL_COUNTS if count < there), there)
    warnings.warn(too_few(asked, counts), stacklevel=2)
    return counts


def too_few(asked: Sequence[int], counts: Sequence[int]) -> str:
    """The sentence about numbers of labels that end before the handbook's do though none were asked for; else ""."""
    if asked or not counts or max(counts) >= LABEL_COUNTS[-1]:
        return ""
    return (
        f"{max(counts)} labels of each class are the most that the train split has beside its validation split, "
        f"instead of {LABEL_COUNTS[-1]}."
    )


def first_of_each(labels: Tensor, count: int) -> Tensor:
    """The positions of the first `count` samples of each label, in their order.

    Smaller counts are part of larger ones, and the choice is the same on every machine.

    Source: handbook, practical 5, part 2. Differs from the handbook: no sorting, which need not keep an order.

    Raises:
        UsageError: a label that is there has fewer samples.
    """
    chosen = []
    for label in labels.unique():
        found = (labels == label).nonzero().flatten()
        if len(found) < count:
            raise UsageError(
                f"class {int(label)} has {len(found)} labelled images: cannot take {count} of each class; "
                "ask for fewer (--labels)"
            )
        chosen.append(found[:count])
    return torch.cat(chosen).sort().values
