"""Blocks and sentences that the classification experiments share."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.records import Row, RunFolder
from gradlab.report.blocks import (
    MOST_CLASSES,
    Block,
    ConfusionMatrix,
    Pictures,
    Point,
    PointChart,
    Table,
    most_confused,
)
from gradlab.report.wording import counted, is_share, percent
from gradlab.stats import format_interval, summarise

_SAME_SHARE = 5e-5
"""Half of a hundredth of a point, the last digit that is printed of a share."""
MISTAKES_LISTED = 20
"""So many mistakes are listed where there are too many classes for a matrix."""
LONGEST_IN_EIGHT = 9
"""Letters of a class name that a caption holds on one line where eight pictures stand in a row."""
LONGEST_FILE_NAME = 16
"""Letters of a file name that a caption holds on one line where six pictures stand in a row."""


def with_error(rows: Sequence[Row]) -> list[Row]:
    """The rows with an "error" of 1 - accuracy wherever there is an accuracy."""
    return [
        {**row, "error": 1 - accuracy} if isinstance(accuracy := row.get("accuracy"), float) else dict(row)
        for row in rows
    ]


def error_of(results: Mapping[str, Any], arm: str, *, split: str = "test") -> str:
    """An arm's error with its interval, such as "1.02 % [0.95, 1.10] (n = 3)"."""
    return format_interval(summarise(_errors(results, arm, split), share=True), percent=True)


def error_sentence(results: Mapping[str, Any], arm: str) -> str:
    """One arm's test error in a sentence."""
    if not _measured(results, arm):
        return "Nothing was measured on the test split."
    return f"The test error of {arm} is {error_of(results, arm)}."


def comparison_sentence(results: Mapping[str, Any]) -> str:
    """Every arm's test error, then what the paired comparison with the first arm can say."""
    arms = [arm for arm in results["arms"] if _measured(results, arm)]
    if not arms:
        return "Nothing was measured on the test split."
    errors = "; ".join(f"{arm} {error_of(results, arm)}" for arm in arms)
    verdicts = [c["verdict"] for c in results["comparisons"] if c.get("metric") == "test_accuracy"]
    told = f" In accuracy: {' '.join(verdicts)}" if verdicts else ""
    return f"Test error: {errors}.{told}"


def best_validated(run: RunFolder, arms: Sequence[str], *, metric: str = "accuracy") -> str:
    """The arm whose kept weights have the largest mean of a metric on validation images; test images choose nothing.

    Of arms that reach the same, it is the first; see `ties_told`.
    """
    reached = _validated(run, arms, metric)
    return max(arms, key=lambda arm: reached[arm])


def validated(run: RunFolder, arm: str, *, metric: str = "accuracy") -> float:
    """An arm's mean of a metric over seeds, on validation images, of the kept weights; minus infinity without any."""
    return _validated(run, [arm], metric)[arm]


def ties_told(run: RunFolder, arms: Sequence[str], *, metric: str = "accuracy") -> str:
    """A sentence that names the arms which validate as well as `best_validated`, up to rounding; empty without any."""
    reached, best = _validated(run, arms, metric), best_validated(run, arms, metric=metric)
    slack = _SAME_SHARE if is_share(metric) else 0.0
    equal = [
        arm for arm in arms if arm != best and math.isclose(reached[arm], reached[best], rel_tol=1e-9, abs_tol=slack)
    ]
    if not equal or not math.isfinite(reached[best]):
        return ""
    does = "validates" if len(equal) == 1 else "validate"
    return f"{' and '.join(equal)} {does} just as well as {best}, up to rounding: validation does not tell them apart."


def _validated(run: RunFolder, arms: Sequence[str], metric: str) -> dict[str, float]:
    """Each arm's mean over seeds, on validation images, of the weights that were kept; minus infinity without any.

    Those are the weights of the epoch that was selected, or else of the last one. A row without an epoch was measured
    on them after training, and precedes.
    """
    about = run.document("environment")["arms"]
    found: dict[tuple[str, int], float] = {}
    final: dict[tuple[str, int], float] = {}
    for row in run.rows():
        value, arm, seed = row.get(metric), str(row.get("arm")), row.get("seed")
        if row.get("split") != "validation" or not isinstance(value, float) or not isinstance(seed, int):
            continue
        selected = about.get(arm, {}).get("best_epochs", {}).get(str(seed))
        if "epoch" not in row:
            final[arm, seed] = value
        elif selected is None or row["epoch"] == selected:
            found[arm, seed] = value
    kept = {**found, **final}
    reached = {arm: [value for (name, _seed), value in kept.items() if name == arm] for arm in arms}
    return {arm: sum(values) / len(values) if values else -math.inf for arm, values in reached.items()}


def classification_blocks(run: RunFolder, arm: str) -> list[Block]:
    """An arm's predictions for some images, most confident mistakes and confusion matrix, as far as they were kept."""
    arrays = run.arrays(arm)
    if "sample_true" not in arrays:
        return []
    classes = run.document("environment")["data"]["classes"]
    blocks: list[Block] = []
    for kind, title in (
        ("sample", "Predictions for some of the test images"),
        ("mistake", "The most confident mistakes"),
    ):
        if len(arrays[f"{kind}_true"]):
            blocks.append(_pictures(arrays, kind, classes, f"{title} ({arm}, first seed)"))
    seeds = len(run.document("results")["arms"][arm]["seeds"])
    title = f"Confusion matrix of {arm}, test split, {seeds} seed{'s' if seeds != 1 else ''} added up"
    if len(classes) <= MOST_CLASSES:
        return [*blocks, ConfusionMatrix(arrays["confusion"], classes, title)]
    return [*blocks, _mistakes_table(arrays["confusion"], classes, arm, seeds)]


def _mistakes_table(counts: np.ndarray, classes: Sequence[str], arm: str, seeds: int) -> Table:
    """The most frequent mistakes, of more classes than a matrix can show."""
    rows = [(true, taken, f"{often:,g}") for true, taken, often in most_confused(counts, classes, MISTAKES_LISTED)]
    added = f"{counted(seeds, 'seed')} added up"
    told = f"The most frequent mistakes of {arm} among {len(classes)} classes, test split, {added}."
    return Table(("class", "taken for", "how often"), rows, told)


def beside_published(
    results: Mapping[str, Any], published: Mapping[str, float], best: str, *, source: str
) -> tuple[str, PointChart, Table]:
    """A sentence, a chart and a table that hold each arm's test error beside a published one, where there is one.

    Args:
        results: the document of `results.json`.
        published: arm -> its published test error.
        best: the arm that the sentence names, chosen on validation.
        source: who published.
    """
    arms = {arm: summarise(_errors(results, arm), share=True) for arm in results["arms"] if _measured(results, arm)}
    points = tuple(
        Point(arm, error.mean, error.low, error.high, error.n, published.get(arm)) for arm, error in arms.items()
    )
    chart = PointChart(points, "Test error", "test error", percent=True, name="gradlab", reference_name=source)
    cells = tuple(
        (arm, percent(published[arm], 2) if arm in published else "-", format_interval(error, percent=True),
         f"{results['arms'][arm]['parameters']:,}")
        for arm, error in arms.items()
    )  # fmt: skip
    table = Table(("network", source, "gradlab", "parameters"), cells, caption="Test error, 95 % interval over seeds.")
    shared = [arm for arm in arms if arm in published]
    fewer = [arm for arm in shared if (arms[arm].high or arms[arm].mean) < published[arm]]
    if best not in arms:
        return "Nothing was measured on the test split.", chart, table
    named = best if len(arms) == 1 else f"The network that validates best, {best},"
    lead = f"{named} has a test error of {format_interval(arms[best], percent=True)}."
    if not shared:
        return lead, chart, table
    return f"{len(fewer)} of {len(shared)} networks stay below the error of {source}. {lead}", chart, table


def _errors(results: Mapping[str, Any], arm: str, split: str = "test") -> list[float]:
    # A seed without a finite value stands as null.
    values = results["arms"][arm]["metrics"][f"{split}_accuracy"]["values"]
    return [1 - value for value in values if value is not None]


def _measured(results: Mapping[str, Any], arm: str) -> bool:
    return results["arms"][arm]["metrics"].get("test_accuracy", {}).get("mean") is not None


def _pictures(arrays: Mapping[str, np.ndarray], kind: str, classes: Sequence[str], title: str) -> Pictures:
    pixels = arrays[f"{kind}_pixels"]
    images = pixels[:, 0] if pixels.shape[1] == 1 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
    rows = zip(arrays[f"{kind}_true"], arrays[f"{kind}_predicted"], arrays[f"{kind}_probability"], strict=True)
    captions = [_caption(classes[int(true)], classes[int(predicted)], float(share)) for true, predicted, share in rows]
    files = [str(path) for path in arrays.get(f"{kind}_files", [])]
    if files:
        captions = [f"{caption}\n{file_name(path)}" for caption, path in zip(captions, files, strict=True)]
    longest = max((len(word) for name in classes for word in name.split()), default=0)
    columns = 8 if longest <= LONGEST_IN_EIGHT and not files else 6
    return Pictures(images, captions, title, columns=columns, files=files)


def file_name(path: str) -> str:
    """The last part of a path, with an ellipsis for its middle where it is longer than a caption is wide."""
    name = path.rpartition("/")[2]
    kept = LONGEST_FILE_NAME - 1
    return name if len(name) <= kept + 1 else f"{name[: kept // 2]}…{name[-(kept - kept // 2) :]}"


def _caption(true: str, predicted: str, probability: float) -> str:
    if true == predicted:
        return f"{predicted} ({percent(probability)})"
    return f"{predicted} ({percent(probability)}), is {true}"
