"""Tables and point charts from the document of `results.json`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.report.blocks import Bullets, Point, PointChart, Table
from gradlab.report.results import SURVIVORS, metric_names
from gradlab.report.wording import (
    NOTHING,
    counted,
    interval_text,
    is_share,
    joined,
    metric_label,
    metric_title,
    number,
    percent,
)
from gradlab.stats.comparison import left_out_told, limit_told

_LEVEL = 0.05
NEAR_GUESSING = 0.15
"""Accuracies that are not further above those of guessing stand beside what guessing reaches."""
MOST_COLUMNS = 2
"""With more metrics than this, a table has a row for each arm and metric: it stays as narrow as a page."""


def results_table(
    results: Mapping[str, Any], metrics: Sequence[str] | None = None, caption: str | None = None
) -> Table:
    """Returns the table of arms by metrics, each cell a mean with its 95 % interval.

    Args:
        results: the document of `results.json`.
        metrics: the metrics to show; None shows those of the test split, or all where there are none.
        caption: a sentence below the table; None says what the cells are.
    """
    arms = results["arms"]
    names = list(metrics) if metrics is not None else shown_metrics(results)
    told = joined([_intervals_told(names), sampling_told(results, names)], " ") if caption is None else caption
    if len(names) > MOST_COLUMNS:
        pairs = [(name, arm) for name in names for arm in arms if name in arms[arm]["metrics"]]
        rows = [
            (metric_label(name), arm, _parameters(arms[arm]), seeds_cell(arms[arm], [name]), cell(arms[arm], name))
            for name, arm in pairs
        ]
        return Table(("Metric", "Arm", "Parameters", "Seeds", "Mean"), rows, told, tuple(names))
    header = ("Arm", "Parameters", "Seeds", *(metric_title(name) for name in names))
    rows = [
        (arm, _parameters(found), seeds_cell(found, names), *(cell(found, name) for name in names))
        for arm, found in arms.items()
    ]
    return Table(header, rows, told, tuple(names))


def point_chart(
    results: Mapping[str, Any],
    metric: str,
    *,
    title: str = "",
    x_label: str = "",
    percent: bool | None = None,
    log_x: bool = False,
    references: Mapping[str, float] | None = None,
    reference_name: str = "published",
    caption: str = "",
) -> PointChart:
    """Returns the chart of one metric, an arm a line, beside the published values in `references`.

    Args:
        results: the document of `results.json`.
        metric: a metric such as `test_accuracy`; arms without it are left out.
        title: what the chart shows; the metric's name where empty.
        x_label: label of the axis; the metric's name where empty.
        percent: show fractions in percent; None decides by the metric's name.
        log_x: use a logarithmic axis.
        references: arm -> a value from elsewhere.
        reference_name: where those values are from, such as "LeCun et al., 1998".
        caption: a sentence below the chart.
    """
    known = references or {}
    points = [
        Point(arm, found["mean"], *(found["ci95"] or (None, None)), n=_finite_count(found), reference=known.get(arm))
        for arm, entry in results["arms"].items()
        if (found := entry["metrics"].get(metric)) is not None and found["mean"] is not None
    ]
    return PointChart(
        points=tuple(points),
        title=title or metric_title(metric),
        x_label=x_label or metric_label(metric),
        percent=is_share(metric) if percent is None else percent,
        log_x=log_x,
        reference_name=reference_name,
        caption=caption,
    )


def comparisons_table(comparisons: Sequence[Mapping[str, Any]]) -> Table:
    """Returns the comparisons of `results.json` in numbers, each with what its seeds can show."""
    bases = list(dict.fromkeys(entry["baseline"] for entry in comparisons))
    several = len(bases) > 1
    header = ("Metric", "Arm", *(["Against"] * several), "Difference", "p", "Seeds", "Shown")
    rows = [
        (
            metric_label(entry["metric"]),
            entry["treatment"],
            *([entry["baseline"]] * several),
            _difference(entry),
            number(entry["p_value"] if entry["p_adjusted"] is None else entry["p_adjusted"]),
            str(entry["n"]),
            shown(entry),
        )
        for entry in comparisons
    ]
    adjusted = any(entry["family"] > 1 for entry in comparisons)
    least = max((entry["smallest_p"] for entry in comparisons), default=1.0)
    base = "" if several else f" from {joined(bases, '')}"
    told = f"Difference{base}, paired by seed, with its 95 % t interval; p of the two-sided sign-flip test"
    holm = ", adjusted by Holm’s method within each metric" if adjusted else ""
    few = f" Before any adjustment these pairs can reach a p of {number(least)} at best."
    return Table(header, rows, f"{told}{holm}.{few}")


def shown(entry: Mapping[str, Any]) -> str:
    """What a comparison shows, in a word or two: "better", "worse", "no difference", "equal", "too few seeds"."""
    if entry["ties"] == entry["n"]:
        return "equal"
    if entry["significant"]:
        return "better" if (entry["mean_difference"] > 0) == entry["larger_is_better"] else "worse"
    return "too few seeds" if _smallest(entry) > _LEVEL * (1 + 1e-12) else "no difference"


def _smallest(entry: Mapping[str, Any]) -> float:
    """The smallest p that the seeds can reach; older runs do not say what it is after Holm's adjustment."""
    if entry.get("smallest_p_adjusted") is not None:
        return entry["smallest_p_adjusted"]
    return min(1.0, entry["smallest_p"] * entry["family"])


def verdicts(comparisons: Sequence[Mapping[str, Any]]) -> Bullets:
    """Returns what the comparisons say in sentences; that seeds are too few is said once for all it holds for."""
    few: dict[str, list[Mapping[str, Any]]] = {}
    for entry in comparisons:
        if shown(entry) == "too few seeds":
            few.setdefault(_limit(entry), []).append(entry)
    several = {limit: entries for limit, entries in few.items() if len(entries) > 1}
    lines = [line for limit, entries in several.items() for line in (limit, *_by_metric(entries))]
    rest = [entry for entry in comparisons if not any(entry in entries for entries in several.values())]
    return Bullets((*lines, *(f"{metric_title(entry['metric'])}: {entry['verdict']}" for entry in rest)))


def _limit(entry: Mapping[str, Any]) -> str:
    limit, remedy = limit_told(entry["n"], _smallest(entry), entry["family"])
    return f"{limit}; {remedy}."


def _by_metric(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each metric: its differences, and what they rest on where seeds were lost."""
    lines = []
    several = len({entry["baseline"] for entry in entries}) > 1
    for metric, baseline in dict.fromkeys((entry["metric"], entry["baseline"]) for entry in entries):
        found = [entry for entry in entries if (entry["metric"], entry["baseline"]) == (metric, baseline)]
        beside = f" − {baseline} =" if several else ""
        told = [
            f"{entry['treatment']}{beside} {_difference(entry)}{left_out_told(entry['left_out'])}" for entry in found
        ]
        lost = joined(dict.fromkeys(entry["verdict"].partition(SURVIVORS)[2] for entry in found), " ")
        warning = SURVIVORS + lost if lost else ""
        lead = metric_title(metric) if several else f"{metric_title(metric)}, difference from {baseline}"
        lines.append(f"{lead}: {'; '.join(told)}.{warning}")
    return lines


def shown_metrics(results: Mapping[str, Any]) -> list[str]:
    """The metrics of the test split, or all where the test split was not read."""
    names = metric_names(results["arms"])
    return [name for name in names if name.startswith("test_")] or names


def cell(arm: Mapping[str, Any], metric: str) -> str:
    """One cell: the mean with its interval, or a dash where nothing finite was measured."""
    found = arm["metrics"].get(metric)
    if found is None or found["mean"] is None:
        return NOTHING
    return interval_text(found["mean"], *(found["ci95"] or (None, None)), percent=is_share(metric))


def seeds_cell(arm: Mapping[str, Any], metrics: Sequence[str]) -> str:
    """How many seeds are behind an arm's numbers; "2 of 3" where a value is missing or not finite."""
    total = len(arm["seeds"])
    finite = min((_finite_count(arm["metrics"][name]) for name in metrics if name in arm["metrics"]), default=total)
    return str(total) if finite == total else f"{finite} of {total}"


def missing_told(results: Mapping[str, Any]) -> list[str]:
    """A sentence for every arm and metric of which some seed has no finite value."""
    told = []
    for arm, found in results["arms"].items():
        if diverged := found.get("diverged"):
            why = "; ".join(f"seed {seed}: {reason}" for seed, reason in diverged.items())
            told.append(
                f"{arm}: {len(diverged)} of {counted(len(found['seeds']), 'seed')} diverged ({why}); "
                "every number of it is over the others."
            )
            continue
        for name, metric in found["metrics"].items():
            lost = [seed for seed, value in zip(found["seeds"], metric["values"], strict=True) if value is None]
            if lost:
                seeds = ", ".join(map(str, lost))
                told.append(
                    f"{arm}: {metric_label(name)} is missing or not finite for {counted(len(lost), 'seed')} ({seeds}); "
                    "the mean is over the others."
                )
    return told


def _intervals_told(metrics: Sequence[str]) -> str:
    cut = ", cut off at 0 and 100 % where it is a share" if any(map(is_share, metrics)) else ""
    return f"Mean over the seeds and the 95 % t interval of that mean{cut}."


def sampling_told(results: Mapping[str, Any], metrics: Sequence[str]) -> str:
    """How far other test images would move an accuracy, which no interval over seeds can show; "" where not known.

    The larger side of the widest of the means' 95 % intervals. What all seeds agree on varies less than that of one
    seed does, so the true figure is that or smaller.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", of a share of so many
    images; unlike the normal approximation it says something where all are right.
    """
    data = results.get("environment", {}).get("data", {})
    count = data.get("sizes", {}).get("test", 0)
    means = [arm["metrics"][name]["mean"] for name in metrics if name in ("test_accuracy", "test_error")
             for arm in results["arms"].values() if name in arm["metrics"]]  # fmt: skip
    shares = [mean for mean in means if mean is not None]
    if not count or not shares or "kind" in data:  # data that an experiment made are no images
        return ""
    moved = largest_side(shares, count)
    told = f"Other {count:,} test images could move a mean as well, by up to {100 * moved:.1f} points (95 %, Wilson)."
    classes = len(data.get("classes", ()))
    guessed = 1 / classes if "test_accuracy" in metrics and classes else 0.0
    if guessed and min(shares) < guessed + NEAR_GUESSING:
        told += f" Guessing among {classes} equally frequent classes is right {percent(guessed, 1)} of the time."
    return told


def largest_side(shares: Sequence[float], count: int) -> float:
    """How far the farthest end of Wilson's intervals lies from its share, each of so many images."""
    return max(_wilson_side(share, count) for share in shares)


def _wilson_side(share: float, count: int) -> float:
    """How far the farther end of Wilson's interval lies from a share of so many."""
    square = 1.96**2 / count
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(square * share * (1 - share) + square**2 / 4) / (1 + square)
    return max(share - middle + half, middle + half - share)


def _finite_count(metric: Mapping[str, Any]) -> int:
    return sum(value is not None for value in metric["values"])


def _parameters(arm: Mapping[str, Any]) -> str:
    return NOTHING if arm["parameters"] is None else f"{arm['parameters']:,}"


def _difference(entry: Mapping[str, Any]) -> str:
    interval = entry.get("ci95") or (None, None)
    text = interval_text(entry["mean_difference"], *interval, percent=is_share(entry["metric"]))
    signed = text if text.startswith("−") else f"+{text}"
    return signed.replace(" %", " points")
