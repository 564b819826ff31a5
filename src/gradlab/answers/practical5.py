"""Practical 5, learning from images without labels."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from gradlab.answers.question import Practical, Question
from gradlab.experiments import few_labels, simclr
from gradlab.records import RunFolder
from gradlab.report import differences, mean_of, measured_counts, percent, reading

CONVERGED = 0.5
"""Points of top-5 accuracy that the last fifth of the epochs brings, below which a curve counts as flat."""
FLATTER = 0.5
"""Share of the first gain by twice the labels, below which the last one counts as flatter."""


def _validated(run: RunFolder, metric: str) -> Mapping[int, float]:
    """Epoch -> the mean over seeds of a metric of the validation split."""
    found: dict[int, list[float]] = {}
    for row in run.rows():
        value, epoch = row.get(metric), row.get("epoch")
        if row.get("split") == "validation" and isinstance(value, float) and isinstance(epoch, int):
            found.setdefault(epoch, []).append(value)
    return {epoch: sum(values) / len(values) for epoch, values in sorted(found.items())}


def _speed(run: RunFolder) -> Iterator[str]:
    """How much the first epochs brought, and what the last ones still bring."""
    curve = _validated(run, "top5_accuracy")
    epochs = list(curve)
    if len(epochs) < 3:
        yield "Too few epochs to tell whether it has converged."
        return
    first, late, last = epochs[0], epochs[-1 - max(1, len(epochs) // 5)], epochs[-1]
    gained = 100 * (curve[last] - curve[late])
    yield (
        f"The other view is among the first five for {percent(curve[first], 1)} of the validation views after "
        f"epoch {first} and for {percent(curve[last], 1)} after epoch {last}; epochs {late + 1} to {last} brought "
        f"{gained:.1f} points."
    )
    yield (
        "It has not converged."
        if gained >= CONVERGED
        else "The curve is flat by then; the learning rate has fallen, too, so that more epochs may still bring more."
    )
    yield (
        "So views of one image lie close together and apart from those of other images: the features tell images "
        "apart whatever crop and colour do to them, which says nothing yet about classes."
    )


def _trend(run: RunFolder) -> Iterator[str]:
    """The biggest jump along the label counts, and whether the curve saturates."""
    results = run.document("results")
    means = {count: mean_of(results, simclr.ARM, f"test_probe_{count}_accuracy")
             for count in measured_counts(results, "test_probe_#_accuracy")}  # fmt: skip
    known = [(count, mean) for count, mean in means.items() if mean is not None]
    if len(known) < 3:
        yield "Too few numbers of labels to tell."
        return
    jumps = [(100 * (b[1] - a[1]), a[0], b[0]) for a, b in pairwise(known)]
    most, lower, upper = max(jumps)
    yield f"The biggest jump, {most:.1f} points, is from {lower} to {upper} labels of each class."
    first, last = (gain / math.log2(upper / lower) for gain, lower, upper in (jumps[0], jumps[-1]))
    verdict = "it flattens" if last < FLATTER * first else "it is not saturated"
    yield f"Twice the labels bring {first:.1f} points where the curve begins and {last:.1f} where it ends: {verdict}."


def _worth(run: RunFolder) -> Iterator[str]:
    """What probe and fine-tuning gain, and what it takes from scratch to equal the probe's fewest labels."""
    results = run.document("results")
    counts = measured_counts(results, "test_#_labels_accuracy")
    probed, scratch = (
        {count: mean for count in counts if (mean := mean_of(results, arm, _accuracy_with(count))) is not None}
        for arm in (few_labels.PROBE, few_labels.SCRATCH)
    )
    both = [count for count in counts if count in probed and count in scratch]
    if not both:
        return
    yield _gains(results, few_labels.PROBE, few_labels.SCRATCH, both)
    equal = next((count for count in both if scratch[count] >= probed[both[0]]), None)
    needed = f"{equal}" if equal is not None else f"more than {both[-1]}"
    yield (
        f"What the probe reaches with {both[0]} labels of each class, in the mean over the seeds, learning from "
        f"scratch needs {needed} for."
    )
    if few_labels.TUNED in results["arms"]:
        yield _gains(results, few_labels.TUNED, few_labels.PROBE, both)


def _gains(results: Mapping[str, Any], arm: str, baseline: str, counts: Sequence[int]) -> str:
    """What an arm gains over another at each number of labels, with what the seeds show."""
    found = {count: differences(results, baseline, [arm], _accuracy_with(count)).get(arm) for count in counts}
    told = "; ".join(f"{count}: {reading(made)}" for count, made in found.items() if made is not None)
    return f"{arm} against {baseline}, by labels of each class: {told}." if told else f"{arm} was not measured."


def _accuracy_with(count: int) -> str:
    return f"test_{count}_labels_accuracy"


PRACTICAL = Practical(
    title="Practical 5: contrastive learning",
    subject="Learning from images without labels",
    questions=(
        Question(
            part="Part 1",
            text="How well, and how fast, does contrastive learning go? Is it converged, and what does it say of the "
            "features?",
            experiment=simclr,
            opening=False,
            shows=("The other view is the most similar", "The other view is among five"),
            discuss=_speed,
        ),
        Question(
            part="Part 2",
            text="How well do the features classify with few labels? Where is the biggest jump, and is it saturating?",
            experiment=simclr,
            shows=("Test accuracy of a linear probe",),
            discuss=_trend,
        ),
        Question(
            part="Part 3",
            text="What does the supervised baseline reach beside it, and what does that imply?",
            experiment=few_labels,
            shows=("Test accuracy over the number of labels",),
            discuss=_worth,
        ),
    ),
)
"""Practical 5."""
