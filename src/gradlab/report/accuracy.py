"""Sentences about accuracies and the differences between them, each with its interval and its number of seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.report.results import values_by_seed
from gradlab.report.wording import interval_text
from gradlab.stats import Comparison, compare_all, format_interval, summarise

METRIC = "test_accuracy"


def measured_arms(results: Mapping[str, Any], metric: str = METRIC) -> list[str]:
    """The arms with at least one finite value of a metric, in the order of `results.json`."""
    return [arm for arm, found in results["arms"].items() if values_by_seed(found, metric)]


def accuracy_of(results: Mapping[str, Any], arm: str, *, split: str = "test") -> str:
    """An arm's accuracy with its interval, such as "52.61 % [52.20, 53.02] (n = 3)"; "not measured" without a value."""
    values = values_by_seed(results["arms"].get(arm, {"metrics": {}, "seeds": []}), f"{split}_accuracy")
    return format_interval(summarise(list(values.values())), percent=True) if values else "not measured"


def accuracies_sentence(results: Mapping[str, Any], *, split: str = "test") -> str:
    """Every arm's accuracy on a split in one sentence."""
    arms = measured_arms(results, f"{split}_accuracy")
    if not arms:
        return f"Nothing was measured on the {split} split."
    told = "; ".join(f"{arm} {accuracy_of(results, arm, split=split)}" for arm in arms)
    return f"Accuracy on the {split} split: {told}."


def differences(
    results: Mapping[str, Any], baseline: str, treatments: Sequence[str], metric: str = METRIC
) -> dict[str, Comparison]:
    """Every treatment compared with the baseline, paired by seed, p-values adjusted for that family by Holm's method.

    Arms without a value, or without a seed in common with the baseline, are left out.
    """
    values = {arm: values_by_seed(results["arms"][arm], metric) for arm in (baseline, *treatments)
              if arm in results["arms"]}  # fmt: skip
    base = values.get(baseline, {})
    family = {arm: found for arm, found in values.items() if arm == baseline or base.keys() & found.keys()}
    if not base or len(family) < 2:
        return {}
    return {made.names[0]: made for made in compare_all(family, baseline=baseline, percent=True)}


def gain_text(comparison: Comparison) -> str:
    """A difference of fractions in points with its interval, such as "+2.1 points [1.5, 2.7]"."""
    text = interval_text(comparison.mean_difference, comparison.low, comparison.high, percent=True)
    return (text if text.startswith("−") else f"+{text}").replace(" %", " points")


def finding(comparison: Comparison) -> str:
    """What a comparison shows: "better", "worse", "no difference shown", "equal", or "too few seeds to show it"."""
    smallest = comparison.smallest_p if comparison.smallest_p_adjusted is None else comparison.smallest_p_adjusted
    if comparison.ties == comparison.n:
        return "equal"
    if comparison.significant:
        return "better" if (comparison.mean_difference > 0) == comparison.larger_is_better else "worse"
    level = (1 - comparison.confidence) * (1 + 1e-12)
    return "too few seeds to show it" if smallest > level else "no difference shown"
