"""One metric over its seeds: mean, spread and the interval that holds the mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy

from gradlab.errors import UsageError
from gradlab.stats.bootstrap import bca_interval
from gradlab.stats.checks import finite_values, require_confidence
from gradlab.stats.student_t import student_t_quantile

Method = Literal["t", "bca"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric's values over seeds, with the mean and the interval that holds it."""

    values: tuple[float, ...]
    """One finite value a seed, in the order given."""
    n: int
    """How many values there are."""
    mean: float
    """Their mean."""
    std: float | None
    """Their sample standard deviation (n - 1 in the denominator); None below two values."""
    low: float | None
    """Lower end of the interval of the mean; None below two values."""
    high: float | None
    """Upper end of the interval of the mean; None below two values."""
    confidence: float
    """Share of such intervals that hold the true mean, in (0, 1)."""
    method: Method
    """How the interval was made: Student's t or the BCa bootstrap."""

    def as_json(self) -> dict[str, Any]:
        """Returns the summary as `results.json` holds it; the interval's key names its confidence, such as `ci95`."""
        interval = None if self.low is None or self.high is None else [self.low, self.high]
        key = f"ci{100 * self.confidence:g}"
        return {"values": list(self.values), "n": self.n, "mean": self.mean, "std": self.std, key: interval}


def summarise(
    values: Sequence[float] | numpy.ndarray,
    *,
    confidence: float = 0.95,
    method: Method = "t",
    generator: numpy.random.Generator | None = None,
    resamples: int = 9999,
    share: bool = False,
) -> Summary:
    """Returns the mean of one value a seed, with its spread and interval.

    Args:
        values: one finite number a seed, at least one.
        confidence: share of such intervals that should hold the true mean, in (0, 1).
        method: "t" for Student's interval, "bca" for the bias-corrected and accelerated bootstrap.
        generator: draws the bootstrap's resamples; needed by "bca" and unused by "t".
        resamples: how many the bootstrap draws.
        share: the values are shares such as accuracies, whose mean cannot lie below 0 or above 1: the interval is cut
            off there. It still holds the mean as often as before.

    Raises:
        UsageError: no values, a value that is not finite, an unknown method, or "bca" without a generator.

    Source: Student, The Probable Error of a Mean, 1908; for "bca" see `bca_interval`.
    """
    numbers = finite_values(values)
    require_confidence(confidence)
    if method not in ("t", "bca"):
        raise UsageError(f"unknown interval method '{method}': known: t, bca")
    if method == "bca" and generator is None:
        raise UsageError("the bca interval draws resamples: give it a numpy.random.Generator")
    mean = mean_of(numbers)
    if len(numbers) < 2:
        return Summary(numbers, len(numbers), mean, None, None, None, confidence, method)
    std = standard_deviation(numbers)
    if generator is not None and method == "bca" and std > 0:
        low, high = bca_interval(numbers, generator=generator, confidence=confidence, resamples=resamples)
    else:
        low, high = t_interval(numbers, confidence)
    if share:
        low, high = min(max(low, 0.0), mean), max(min(high, 1.0), mean)
    return Summary(numbers, len(numbers), mean, std, low, high, confidence, method)


def mean_of(values: Sequence[float]) -> float:
    """Returns the mean of at least one value, rounded once, so that it does not depend on their order."""
    return values[0] if min(values) == max(values) else math.fsum(values) / len(values)


def standard_deviation(values: Sequence[float]) -> float:
    """Returns the sample standard deviation (n - 1 in the denominator) of at least two values."""
    mean = mean_of(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def t_interval(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Returns the ends of Student's interval of the mean of at least two values."""
    mean = mean_of(values)
    reach = student_t_quantile((1 + confidence) / 2, len(values) - 1)
    half_width = reach * standard_deviation(values) / math.sqrt(len(values))
    return mean - half_width, mean + half_width
