"""The bias-corrected and accelerated bootstrap interval."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy

from gradlab.errors import UsageError
from gradlab.stats.checks import finite_values, require_confidence

Statistic = Callable[..., numpy.ndarray]


def bca_interval(
    values: Sequence[float] | numpy.ndarray,
    statistic: Statistic = numpy.mean,
    *,
    generator: numpy.random.Generator,
    confidence: float = 0.95,
    resamples: int = 9999,
) -> tuple[float, float]:
    """Returns the ends of the bias-corrected and accelerated bootstrap interval of a statistic of `values`.

    When all values are equal, both ends are the statistic. When leaving out one value never moves the statistic, the
    acceleration is taken as 0.

    Args:
        values: at least two finite numbers.
        statistic: a function of an array and `axis`, such as `numpy.mean` or `numpy.median`.
        generator: draws the resamples; the same generator state gives the same interval.
        confidence: share of intervals that should hold the true statistic, in (0, 1).
        resamples: number of bootstrap resamples, at least 1.

    Raises:
        UsageError: too few values, one that is not finite, or a statistic whose resamples all lie on one side of it,
            for which this interval does not exist.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, 14.3 and equation 15.36.
    """
    require_confidence(confidence)
    sample = numpy.asarray(finite_values(values))
    if sample.size < 2 or resamples < 1:
        raise UsageError(f"a bootstrap needs 2 values and 1 resample: got {sample.size} and {resamples}")
    observed = float(statistic(sample, axis=-1))
    if sample.min() == sample.max():
        return observed, observed
    indices = generator.integers(0, sample.size, (resamples, sample.size))
    distribution = statistic(sample[indices], axis=-1)
    bias = _bias_correction(distribution, observed)
    acceleration = _acceleration(sample, statistic)
    spread = NormalDist().inv_cdf((1 - confidence) / 2)
    levels = [_adjusted_level(bias, acceleration, side) for side in (spread, -spread)]
    low, high = numpy.quantile(distribution, levels)
    return float(low), float(high)


def _bias_correction(distribution: numpy.ndarray, observed: float) -> float:
    """Returns z0: how far, in standard deviations, the observed statistic lies from its resamples' median."""
    below, not_above = numpy.count_nonzero(distribution < observed), numpy.count_nonzero(distribution <= observed)
    share = float(below + not_above) / (2 * distribution.size)
    if not 0 < share < 1:
        raise UsageError(f"no BCa interval: all {distribution.size} resamples lie on one side of the statistic")
    return NormalDist().inv_cdf(share)


def _acceleration(sample: numpy.ndarray, statistic: Statistic) -> float:
    """Returns a: a sixth of the skewness of the jackknife's influence values."""
    count = sample.size
    kept = ~numpy.eye(count, dtype=bool)
    left_out = statistic(numpy.broadcast_to(sample, (count, count))[kept].reshape(count, count - 1), axis=-1)
    influence = (count - 1) * (left_out.mean() - left_out)
    variance = float(numpy.sum(influence**2)) / count**2
    if variance == 0:
        return 0.0
    return float(numpy.sum(influence**3)) / count**3 / (6 * variance**1.5)


def _adjusted_level(bias: float, acceleration: float, side: float) -> float:
    """Returns the share of resamples below an end of the interval; `side` is the end's normal quantile."""
    shifted = bias + side
    z = bias + shifted / (1 - acceleration * shifted)
    return 0.5 * math.erfc(-z / math.sqrt(2))
