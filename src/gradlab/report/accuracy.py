"""Sentences about accuracies (and other metrics) and the differences between them, with intervals and seeds."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.report.blocks import Table
from gradlab.report.results import values_by_seed
from gradlab.report.tables import cell, largest_side
from gradlab.report.wording import interval_text, is_share, percent
from gradlab.stats import Comparison, compare, compare_all, format_interval, summarise

METRIC = "test_accuracy"


def measured_arms(results: Mapping[str, Any], metric: str = METRIC) -> list[str]:
    """The arms with at least one finite value of a metric, in the order of `results.json`."""
    return [arm for arm, found in results["arms"].items() if values_by_seed(found, metric)]


def measured_counts(results: Mapping[str, Any], metric: str) -> list[int]:
    """The whole numbers that stand for the `#` in the names of metrics, such as "test_probe_#_accuracy", in order."""
    before, after = (re.escape(part) for part in metric.split("#"))
    names = {name for arm in results["arms"].values() for name in arm["metrics"]}
    return sorted(int(found[1]) for name in names if (found := re.fullmatch(rf"{before}(\d+){after}", name)))


def accuracy_of(results: Mapping[str, Any], arm: str, *, split: str = "test") -> str:
    """An arm's accuracy with its interval, such as "52.61 % [52.20, 53.02] (n = 3)"; "not measured" without a value."""
    return value_of(results, arm, f"{split}_accuracy")


def value_of(results: Mapping[str, Any], arm: str, metric: str) -> str:
    """An arm's metric with its interval, such as "−101.4 [−101.9, −100.9] (n = 3)", or "not measured"."""
    values = values_by_seed(results["arms"].get(arm, {"metrics": {}, "seeds": []}), metric)
    if not values:
        return "not measured"
    share = is_share(metric)
    return format_interval(summarise(list(values.values()), share=share), percent=share).replace("-", "−")


def mean_of(results: Mapping[str, Any], arm: str, metric: str = METRIC) -> float | None:
    """The mean of an arm's metric over its seeds; None where nothing was measured."""
    values = values_by_seed(results["arms"].get(arm, {"metrics": {}, "seeds": []}), metric)
    return summarise(list(values.values())).mean if values else None


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
    return {
        made.names[0]: made for made in compare_all(family, baseline=baseline, percent=True, share=is_share(metric))
    }


def change_compared(
    results: Mapping[str, Any], first: tuple[str, str], second: tuple[str, str], metric: str = METRIC
) -> Comparison | None:
    """How much more the first pair's arm differs from its baseline than the second's, paired by seed.

    Args:
        results: the document of `results.json`.
        first: an arm and its baseline.
        second: another arm and its baseline; None comes back where the four share no seed.
        metric: what is compared.
    """
    changes = [_changes(results, *pair, metric) for pair in (first, second)]
    if not changes[0].keys() & changes[1].keys():
        return None
    return compare(changes[0], changes[1], names=(first[0], second[0]), percent=True)


def _changes(results: Mapping[str, Any], arm: str, baseline: str, metric: str) -> dict[int, float]:
    if not {arm, baseline} <= results["arms"].keys():
        return {}
    after, before = (values_by_seed(results["arms"][name], metric) for name in (arm, baseline))
    return {seed: after[seed] - before[seed] for seed in after.keys() & before.keys()}


def gain_text(comparison: Comparison) -> str:
    """A difference of fractions in points with its interval, such as "+2.1 points [1.5, 2.7]"."""
    text = interval_text(comparison.mean_difference, comparison.low, comparison.high, percent=True)
    return (text if text.startswith("−") else f"+{text}").replace(" %", " points")


def finding(comparison: Comparison) -> str:
    """What a comparison shows: "better", "worse", "no difference shown", "equal", or "too few seeds"."""
    smallest = comparison.smallest_p if comparison.smallest_p_adjusted is None else comparison.smallest_p_adjusted
    if comparison.ties == comparison.n:
        return "equal"
    if comparison.significant:
        return "better" if (comparison.mean_difference > 0) == comparison.larger_is_better else "worse"
    level = (1 - comparison.confidence) * (1 + 1e-12)
    return "too few seeds" if smallest > level else "no difference shown"


def none_beats_guessing(results: Mapping[str, Any]) -> bool:
    """Whether other test images could make the best arm as good as one guess of as many as there are classes."""
    count, classes, means = _tested(results)
    return bool(count and classes and means) and max(means) - largest_side(means, count) < 1 / classes


def _tested(results: Mapping[str, Any]) -> tuple[int, int, list[float]]:
    """(test images, classes, mean test accuracy of each measured arm); 0 where the results do not say."""
    data = results.get("environment", {}).get("data", {})
    means = [mean for arm in measured_arms(results) if (mean := mean_of(results, arm)) is not None]
    return data.get("sizes", {}).get("test", 0), len(data.get("classes", ())), means


def images_caution(results: Mapping[str, Any], comparisons: Sequence[Comparison]) -> str:
    """What seeds cannot tell, since all of them are tested on the same images: "" where these are enough.

    Says where a difference that is shown over seeds is smaller than other test images could move a mean, and where no
    arm is clearly better than guessing.
    """
    count, classes, means = _tested(results)
    if not count or not classes or not means:
        return ""
    told, moved = [], largest_side(means, count)
    if none_beats_guessing(results):
        told.append(
            f"No network is clearly better than guessing, which is right {percent(1 / classes, 1)} of the time."
        )
    if any(made.significant and abs(made.mean_difference) < moved for made in comparisons):
        told.append(
            f"What is shown over seeds holds for these {count:,} test images alone: others could move a mean by up to "
            f"{100 * moved:.1f} points, more than the difference."
        )
    return " ".join(told)


def reading(comparison: Comparison) -> str:
    """A difference with what it shows, such as "+1.2 points [0.5, 1.9] (better; 0 is outside the interval)"."""
    if comparison.low is None or comparison.high is None or comparison.low == comparison.high:
        return f"{gain_text(comparison)} ({finding(comparison)})"
    includes = "0 is within" if comparison.low <= 0 <= comparison.high else "0 is outside"
    return f"{gain_text(comparison)} ({finding(comparison)}; {includes} the interval)"


def changes_table(results: Mapping[str, Any], families: Mapping[str, Sequence[str]], *, caption: str = "") -> Table:
    """Returns every arm's test accuracy and, for the arms of a family, the change against its baseline.

    Args:
        results: the document of `results.json`.
        families: baseline -> the arms to hold against it.
        caption: a sentence below the table, before the one that says what the numbers are.
    """
    rows = []
    for baseline, treatments in families.items():
        found = differences(results, baseline, treatments)
        for arm in (baseline, *treatments):
            if arm in results["arms"]:
                change = (gain_text(found[arm]), finding(found[arm])) if arm in found else ("–", "–")
                rows.append((arm, cell(results["arms"][arm], METRIC), *change))
    told = (
        "The change is paired by seed, with its 95 % interval; the test behind the last column is adjusted by Holm's "
        "method for the arms that share a baseline."
    )
    header = ("arm", "test accuracy", "change", "shown")
    return Table(header, rows, f"{caption} {told}".strip())
