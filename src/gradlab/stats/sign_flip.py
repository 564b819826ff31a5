"""The paired sign-flip permutation test."""

import math
from collections.abc import Sequence

import numpy

from gradlab.stats.checks import finite_values

MOST_EXACT = 20
"""The largest number of pairs for which every flip is counted: beyond it the flips outgrow a few megabytes."""


def sign_flip_p_value(
    differences: Sequence[float] | numpy.ndarray,
    *,
    tolerance: float = 0.0,
    generator: numpy.random.Generator | None = None,
    resamples: int = 9999,
) -> float:
    """Returns the two-sided p-value of "the differences are symmetric about 0", in (0, 1].

    It is the share of sign assignments whose mean is at least as far from 0 as the observed mean. All of them are
    counted up to `MOST_EXACT` pairs; beyond, the share is estimated as (hits + 1) / (resamples + 1), which unlike
    hits / resamples never understates p. The null distribution is symmetric, so that this equals twice the smaller
    one-sided p.

    Args:
        differences: one finite number a pair, at least one.
        tolerance: means this close count as equal; it should cover the rounding of the differences themselves.
        generator: draws the flips beyond `MOST_EXACT` pairs; None takes the fixed seed 0.
        resamples: how many flips are drawn beyond `MOST_EXACT` pairs.

    Raises:
        UsageError: no difference, or one that is not finite.

    Source: Fisher, The Design of Experiments, 1935, section 21; Phipson and Smyth, Permutation p-values should never
    be zero, 2010, for the estimate.
    """
    pairs = numpy.asarray(finite_values(differences, what="difference"))
    slack = (tolerance + 100 * numpy.finfo(float).eps * abs(float(pairs.mean()))) * pairs.size
    if pairs.size <= MOST_EXACT:
        sums = _every_sum(pairs)
        return float(numpy.count_nonzero(sums >= sums[0] - slack) / sums.size)
    observed = abs(math.fsum(pairs))
    source = numpy.random.default_rng(0) if generator is None else generator
    signs = 2.0 * source.integers(0, 2, (resamples, pairs.size)) - 1
    hits = numpy.count_nonzero(numpy.abs(signs @ pairs) >= observed - slack)
    return float(hits + 1) / (resamples + 1)


def smallest_p_value(pairs: int) -> float:
    """Returns the smallest p-value that `pairs` pairs can reach: two of all flips, all signs kept or all turned."""
    return min(1.0, 2.0 ** (1 - pairs))


def pairs_needed(p_value: float) -> int:
    """Returns the smallest number of pairs whose smallest p-value is at most `p_value`, which is in (0, 1]."""
    return next(pairs for pairs in range(1, 1100) if smallest_p_value(pairs) <= p_value)


def _every_sum(pairs: numpy.ndarray) -> numpy.ndarray:
    """Returns the absolute sum of every sign assignment, the observed one first.

    The first sign stays: turning all signs leaves an absolute sum as it is, so the other half holds the same sums.
    """
    sums = pairs[:1]
    for difference in pairs[1:]:
        sums = numpy.concatenate((sums + difference, sums - difference))
    return numpy.abs(sums)
