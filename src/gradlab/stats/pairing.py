"""Arms paired by their seeds and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy

from gradlab.errors import UsageError, unknown
from gradlab.stats.checks import finite_values, require_confidence
from gradlab.stats.comparison import Comparison
from gradlab.stats.multiplicity import holm
from gradlab.stats.sign_flip import sign_flip_p_value, smallest_p_value
from gradlab.stats.summary import mean_of, t_interval

Values = Mapping[int, float] | Sequence[float] | numpy.ndarray


def compare(
    treatment: Values,
    baseline: Values,
    *,
    confidence: float = 0.95,
    names: tuple[str, str] = ("a", "b"),
    larger_is_better: bool = True,
    percent: bool = False,
    share: bool = False,
    generator: numpy.random.Generator | None = None,
    resamples: int = 9999,
) -> Comparison:
    """Returns what the paired seeds say about treatment - baseline.

    Args:
        treatment: seed -> value, or one value a seed in an order both arms share.
        baseline: the same kind of thing. Of two mappings, only the seeds in both are used; the others are listed.
        confidence: share of intervals that should hold the true difference, in (0, 1).
        names: what the verdict calls the two arms.
        larger_is_better: True for an accuracy, False for a loss.
        percent: the values are fractions that the verdict should print in percentage points.
        share: the values are shares such as accuracies, whose difference cannot leave [-1, 1]: the interval is cut off
            there. Not for changes of shares, whose differences reach from -2 to 2.
        generator: draws the sign flips where there are too many seeds to count every flip; None takes a fixed seed.
        resamples: how many flips are then drawn.

    Raises:
        UsageError: the seeds cannot be paired, or a value is not finite.

    Source: paired t interval (Student, 1908) and paired sign-flip test (Fisher, 1935); see `sign_flip_p_value`.
    """
    require_confidence(confidence)
    seeds, left_out, pairs = _paired(treatment, baseline, names)
    # Seeds with equal accuracies must count as equal although 0.987 - 0.985 and 0.657 - 0.655 differ in the last
    # digits: the rounding of a difference goes with the size of the values, not with the size of the difference.
    tolerance = 16 * float(numpy.finfo(float).eps) * max(abs(value) for pair in pairs for value in pair)
    differences = tuple(first - second for first, second in pairs)
    above = sum(difference > tolerance for difference in differences)
    below = sum(difference < -tolerance for difference in differences)
    low, high = t_interval(differences, confidence) if len(seeds) > 1 else (None, None)
    if len(seeds) > 1 and max(differences) - min(differences) <= 2 * tolerance:
        low = high = mean_of(differences)
    if share and low is not None and high is not None:
        low, high = max(low, -1.0), min(high, 1.0)
    return Comparison(
        names=(str(names[0]), str(names[1])),
        n=len(seeds),
        seeds=seeds,
        left_out=left_out,
        mean_difference=mean_of(differences),
        low=low,
        high=high,
        confidence=confidence,
        p_value=sign_flip_p_value(differences, tolerance=tolerance, generator=generator, resamples=resamples),
        smallest_p=smallest_p_value(len(seeds)),
        wins=above if larger_is_better else below,
        ties=len(seeds) - above - below,
        losses=below if larger_is_better else above,
        larger_is_better=larger_is_better,
        percent=percent,
    )


def compare_all(
    values_by_arm: Mapping[str, Values],
    *,
    baseline: str | Mapping[str, str],
    confidence: float = 0.95,
    larger_is_better: bool = True,
    percent: bool = False,
    share: bool = False,
    generator: numpy.random.Generator | None = None,
    resamples: int = 9999,
) -> list[Comparison]:
    """Returns arms compared with their baselines, in the order given, with Holm's adjusted p-values.

    The intervals are each at `confidence` on their own; only the tests are adjusted for the family.

    Args:
        values_by_arm: arm -> what `compare` takes.
        baseline: the arm that all others are compared with, or arm -> its baseline for those to compare.
        confidence: as in `compare`.
        larger_is_better: as in `compare`.
        percent: as in `compare`.
        share: as in `compare`.
        generator: as in `compare`.
        resamples: as in `compare`.

    Raises:
        UsageError: there is no such baseline, the seeds cannot be paired, or a value is not finite.

    Source: see `compare` and `holm`.
    """
    pairs = {arm: baseline for arm in values_by_arm if arm != baseline} if isinstance(baseline, str) else dict(baseline)
    for name in [baseline] if isinstance(baseline, str) else pairs.values():
        if name not in values_by_arm:
            raise unknown("baseline arm", name, values_by_arm)
    options: dict[str, Any] = {"confidence": confidence, "larger_is_better": larger_is_better, "percent": percent}
    options |= {"share": share, "generator": generator, "resamples": resamples}
    alone = [
        compare(values, values_by_arm[pairs[arm]], names=(arm, pairs[arm]), **options)
        for arm, values in values_by_arm.items()
        if arm in pairs
    ]
    adjusted = holm([comparison.p_value for comparison in alone])
    # Holm's values only grow with each p-value, so the smallest p-values give the smallest adjusted ones.
    reachable = holm([comparison.smallest_p for comparison in alone])
    return [
        replace(comparison, p_adjusted=p, smallest_p_adjusted=smallest, family=len(alone))
        for comparison, p, smallest in zip(alone, adjusted, reachable, strict=True)
    ]


def _paired(
    treatment: Values, baseline: Values, names: tuple[str, str]
) -> tuple[tuple[int, ...], tuple[int, ...], list[tuple[float, float]]]:
    """Returns the seeds in both arms, the seeds in one only, and the values of the former."""
    first, second = _by_seed(treatment, names[0]), _by_seed(baseline, names[1])
    if isinstance(treatment, Mapping) != isinstance(baseline, Mapping):
        raise UsageError(f"{names[0]} and {names[1]} cannot be paired: only one of them says which seed is which")
    if not isinstance(treatment, Mapping) and len(first) != len(second):
        raise UsageError(
            f"{names[0]} has {len(first)} values and {names[1]} has {len(second)}: "
            f"seed {min(len(first), len(second))} and later have no partner"
        )
    seeds = tuple(sorted(first.keys() & second.keys()))
    if not seeds:
        raise UsageError(
            f"{names[0]} and {names[1]} have no seed in common: "
            f"{names[0]} has {_listed(first)}, {names[1]} has {_listed(second)}"
        )
    return seeds, tuple(sorted(first.keys() ^ second.keys())), [(first[seed], second[seed]) for seed in seeds]


def _by_seed(values: Values, name: str) -> dict[int, float]:
    if not isinstance(values, Mapping):
        return dict(enumerate(finite_values(values, what=f"value of {name}")))
    numbers = [float(value) for value in values.values()]
    bad = [seed for seed, number in zip(values, numbers, strict=True) if not numpy.isfinite(number)]
    if bad:
        raise UsageError(f"{name} has no finite value for {_listed(bad)}: leave a seed out by hand if you must")
    return dict(zip(values, numbers, strict=True))


def _listed(seeds: Sequence[int] | Mapping[int, float]) -> str:
    return "no seeds" if not seeds else f"seeds {', '.join(str(seed) for seed in sorted(seeds))}"
