"""The stable summary of a run, `results.json`: what every arm reached, and which differences the seeds support."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gradlab.errors import UsageError
from gradlab.records import Row
from gradlab.report.wording import counted, is_share, larger_is_better, split_of
from gradlab.stats import compare_all, summarise

SCHEMA = 1
SURVIVORS = " It rests on the surviving seeds: "
"""What begins the warning at the end of a verdict."""
COORDINATES = ("epoch", "step", "angle", "severity", "labels", "temperature", "dimension", "shift", "scale")
"""Names of fields that say where a row was measured; text and whole numbers are taken as such under any name."""

Measurements = dict[str, dict[str, dict[int, float]]]
"""arm -> metric -> seed -> value."""


def is_summary_row(row: Row) -> bool:
    """Whether a row has only an arm, a seed, a split and measurements: a result of the selected weights."""
    if not {"arm", "seed", "split"} <= row.keys():
        return False
    rest = row.keys() - {"arm", "seed", "split"}
    return bool(rest) and all(name not in COORDINATES and _is_measurement(row[name]) for name in rest)


def summarise_rows(
    rows: Iterable[Row],
    *,
    parameters: Mapping[str, int | None] | None = None,
    directions: Mapping[str, bool] | None = None,
    seeds: Sequence[int] = (),
    diverged: Mapping[str, Mapping[int, str]] | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Returns the `arms` and `comparisons` of `results.json`.

    Args:
        rows: all rows of a run; only its summary rows count.
        parameters: number of trained parameters of each arm. Its order is the order of the arms, and the first is the
            baseline; arms that it lacks follow in the order in which the rows name them.
        directions: metric -> whether larger is better, for names that do not tell (see `larger_is_better`).
        seeds: the seeds that were asked for; one without a result stays in the lists, with null for its values.
        diverged: arm -> seed -> why it has no result.

    Raises:
        UsageError: two rows give different values for one arm, seed and metric.
    """
    counts = parameters or {}
    measured = _measurements(rows)
    order = [arm for arm in counts if arm in measured] + [arm for arm in measured if arm not in counts]
    lost = {arm: dict(found) for arm, found in (diverged or {}).items() if found}
    order += [arm for arm in lost if arm not in order]
    arms = {
        arm: {"parameters": counts.get(arm), **_arm(measured.get(arm, {}), seeds), **_told_of(lost.get(arm, {}))}
        for arm in order
    }
    comparisons = _comparisons({arm: measured[arm] for arm in order if arm in measured}, directions or {})
    return arms, [_with_survivors(comparison, lost) for comparison in comparisons]


def results(
    rows: Iterable[Row],
    *,
    experiment: str,
    command: str,
    environment: Mapping[str, Any],
    seconds: float,
    parameters: Mapping[str, int | None] | None = None,
    directions: Mapping[str, bool] | None = None,
    seeds: Sequence[int] = (),
    diverged: Mapping[str, Mapping[int, str]] | None = None,
) -> dict[str, Any]:
    """Returns the whole document of `results.json`; see `summarise_rows` for the arguments it shares with it.

    Args:
        rows: all rows of the run.
        experiment: the experiment's name.
        command: the command line that repeats the run.
        environment: versions and hardware.
        seconds: wall time of the run.
        parameters: see `summarise_rows`.
        directions: see `summarise_rows`.
        seeds: see `summarise_rows`.
        diverged: see `summarise_rows`.

    Raises:
        UsageError: as `summarise_rows`.
    """
    arms, comparisons = summarise_rows(
        rows, parameters=parameters, directions=directions, seeds=seeds, diverged=diverged
    )
    return {
        "schema": SCHEMA,
        "experiment": experiment,
        "command": command,
        "environment": dict(environment),
        "seconds": seconds,
        "arms": arms,
        "comparisons": comparisons,
    }


def metric_names(arms: Mapping[str, Any]) -> list[str]:
    """The metrics of all arms: test, validation, then the rest; in each, what is better when large goes first."""
    names = dict.fromkeys(name for arm in arms.values() for name in arm["metrics"])
    places = {"test": 0, "validation": 1}
    return sorted(names, key=lambda name: (places.get(split_of(name), 2), not larger_is_better(name)))


def values_by_seed(arm: Mapping[str, Any], metric: str) -> dict[int, float]:
    """The finite values of one metric of one arm of `results.json`, by seed; empty where it was not measured."""
    values = arm["metrics"].get(metric, {}).get("values", [])
    return (
        {seed: value for seed, value in zip(arm["seeds"], values, strict=True) if value is not None} if values else {}
    )


def _is_measurement(value: object) -> bool:
    # A journal writes a value that is not finite as null.
    return value is None or isinstance(value, float)


def _measurements(rows: Iterable[Row]) -> Measurements:
    measured: Measurements = {}
    for row in filter(is_summary_row, rows):
        arm, seed, split = str(row["arm"]), int(row["seed"] or 0), row["split"]
        metrics = measured.setdefault(arm, {})
        for name, value in row.items():
            if name not in ("arm", "seed", "split"):
                _place(metrics.setdefault(f"{split}_{name}", {}), arm, seed, f"{split}_{name}", value)
    return measured


def _place(by_seed: dict[int, float], arm: str, seed: int, metric: str, value: object) -> None:
    fresh = float(value) if isinstance(value, float) else math.nan
    known = by_seed.setdefault(seed, fresh)
    if known != fresh and not (math.isnan(known) and math.isnan(fresh)):
        raise UsageError(
            f"arm '{arm}', seed {seed} has two values of {metric}, {known} and {fresh}: "
            "a row measured at some coordinate must name it with a whole number or a text"
        )


def _told_of(lost: Mapping[int, str]) -> dict[str, Any]:
    return {"diverged": {str(seed): why for seed, why in lost.items()}} if lost else {}


def _with_survivors(comparison: dict[str, Any], lost: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """The comparison with a warning in its verdict where it rests on the seeds that survived."""
    told = [f"{counted(len(lost[arm]), 'seed')} of {arm} diverged" for arm in
            (comparison["treatment"], comparison["baseline"]) if arm in lost]  # fmt: skip
    if not told:
        return comparison
    return {**comparison, "verdict": f"{comparison['verdict']}{SURVIVORS}{' and '.join(told)}."}


def _arm(metrics: Mapping[str, Mapping[int, float]], asked: Sequence[int]) -> dict[str, Any]:
    seeds = sorted({seed for by_seed in metrics.values() for seed in by_seed} | set(asked))
    names = sorted(metrics, key=lambda name: ("test", "validation", "train", "").index(split_of(name)))
    return {"seeds": seeds, "metrics": {name: _metric(metrics[name], seeds, share=is_share(name)) for name in names}}


def _metric(by_seed: Mapping[int, float], seeds: Sequence[int], *, share: bool) -> dict[str, Any]:
    """Values in the order of the seeds, null where one is missing or not finite; statistics of the finite ones."""
    values = [by_seed.get(seed, math.nan) for seed in seeds]
    finite = [value for value in values if math.isfinite(value)]
    shown = [value if math.isfinite(value) else None for value in values]
    if not finite:
        return {"values": shown, "mean": None, "std": None, "ci95": None}
    summary = summarise(finite, share=share)
    interval = None if summary.low is None else [summary.low, summary.high]
    return {"values": shown, "mean": summary.mean, "std": summary.std, "ci95": interval}


def _comparisons(measured: Measurements, directions: Mapping[str, bool]) -> list[dict[str, Any]]:
    """Every arm against the first on each metric of the test split whose better side is known."""
    comparisons = []
    baseline = next(iter(measured), "")
    for metric in dict.fromkeys(name for metrics in measured.values() for name in metrics):
        direction = directions.get(metric, larger_is_better(metric))
        if split_of(metric) == "test" and direction is not None:
            values = {arm: _finite(metrics.get(metric, {})) for arm, metrics in measured.items()}
            baselines = dict.fromkeys((arm for arm in values if arm != baseline), baseline)
            comparisons += compared(values, baselines=baselines, metric=metric, larger=direction)
    return comparisons


def compared(
    values: Mapping[str, Mapping[int, float]], *, baselines: Mapping[str, str], metric: str, larger: bool
) -> list[dict[str, Any]]:
    """Returns the comparisons, as JSON, of every arm that has a baseline and shares a seed with it.

    Args:
        values: arm -> seed -> value.
        baselines: arm -> the arm it is compared with.
        metric: what was measured.
        larger: whether larger is better.
    """
    pairs = {arm: base for arm, base in baselines.items() if values.get(arm, {}).keys() & values.get(base, {}).keys()}
    share = is_share(metric)
    made = compare_all(values, baseline=pairs, larger_is_better=larger, percent=share, share=share)
    return [{"metric": metric, **comparison.as_json()} for comparison in made]


def _finite(by_seed: Mapping[int, float]) -> dict[int, float]:
    return {seed: value for seed, value in by_seed.items() if math.isfinite(value)}
