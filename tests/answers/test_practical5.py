import json

import pytest

from gradlab.answers.practical5 import PRACTICAL
from gradlab.experiments import few_labels

SPEED, TREND, WORTH = (question.discuss for question in PRACTICAL.questions)
COUNTS = (10, 20, 40)


def simclr_run(make_run, curve=(0.2, 0.5, 0.6, 0.7, 0.7, 0.7), probes=(0.3, 0.4, 0.45)):
    metrics = {f"test_probe_{count}_accuracy": [value] for count, value in zip(COUNTS, probes, strict=True)}
    made = make_run("simclr", {"SimCLR": metrics}, labels=[40, 20, 10])
    rows = [{"arm": "SimCLR", "seed": seed, "epoch": epoch + 1, "split": "validation", "top5_accuracy": value + shift}
            for epoch, value in enumerate(curve) for seed, shift in ((0, -0.05), (1, 0.05))]  # fmt: skip
    (made.path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


def few_run(make_run, probed, scratch, tuned=(), seeds=1):
    arms = {arm: {f"test_{count}_labels_accuracy": [value + 0.001 * seed for seed in range(seeds)]
                  for count, value in zip(COUNTS, values, strict=True)}
            for arm, values in ((few_labels.SCRATCH, scratch), (few_labels.PROBE, probed), (few_labels.TUNED, tuned))
            if values}  # fmt: skip
    return make_run("few_labels", arms, labels=list(COUNTS))


@pytest.mark.parametrize(
    ("curve", "told"),
    [
        ((0.2, 0.5, 0.6, 0.7, 0.7, 0.7), "The curve is flat by then"),
        ((0.2, 0.5, 0.6, 0.7, 0.75, 0.8), "It has not converged."),
    ],
)
def test_a_rising_curve_is_told_from_a_flat_one(make_run, curve, told):
    measured, verdict, _ = SPEED(simclr_run(make_run, curve))
    assert "20.0 % of the validation views after epoch 1" in measured
    assert (
        f"{100 * curve[-1]:.1f} % after epoch 6; epochs 6 to 6 brought {100 * (curve[-1] - curve[-2]):.1f} points"
        in measured
    )
    assert verdict.startswith(told)


def test_two_epochs_tell_nothing(make_run):
    assert list(SPEED(simclr_run(make_run, (0.1, 0.2)))) == ["Too few epochs to tell whether it has converged."]


@pytest.mark.parametrize(
    ("probes", "told"), [((0.3, 0.4, 0.44), "it flattens"), ((0.3, 0.4, 0.49), "it is not saturated")]
)
def test_the_biggest_jump_and_the_trend(make_run, probes, told):
    jump, trend = TREND(simclr_run(make_run, probes=probes))
    assert jump == "The biggest jump, 10.0 points, is from 10 to 20 labels of each class."
    assert "bring 10.0 points where the curve begins" in trend
    assert trend.endswith(f"{told}.")


@pytest.mark.parametrize(
    ("probed", "scratch", "needed"),
    [
        ((0.3, 0.4, 0.5), (0.2, 0.25, 0.4), "40"),
        ((0.3, 0.4, 0.5), (0.2, 0.3, 0.6), "20"),
        ((0.3, 0.4, 0.5), (0.1, 0.15, 0.2), "more than 40"),
        ((0.3, 0.4, 0.5), (0.4, 0.5, 0.6), "10"),
    ],
)
def test_what_the_probe_gains_and_what_it_takes_from_scratch(make_run, probed, scratch, needed):
    gains, takes = WORTH(few_run(make_run, probed, scratch))
    assert gains.startswith(f"{few_labels.PROBE} against {few_labels.SCRATCH}, by labels of each class: 10: ")
    assert f"{100 * (probed[0] - scratch[0]):+.1f}".replace("-", "−")[:4] in gains
    assert takes.endswith(f"learning from scratch needs {needed} for.")


def test_nothing_is_called_better_that_the_seeds_cannot_show(make_run):
    few, _ = WORTH(few_run(make_run, (0.3, 0.4, 0.5), (0.2, 0.3, 0.4), seeds=3))
    assert "better" not in few
    assert few.count("too few seeds") == 3
    enough, _ = WORTH(few_run(make_run, (0.3, 0.4, 0.5), (0.2, 0.3, 0.4), seeds=6))
    assert enough.count("better") == 3


def test_fine_tuning_is_held_against_the_probe(make_run):
    *_, tuned = WORTH(few_run(make_run, (0.3, 0.4, 0.5), (0.2, 0.3, 0.6), (0.3, 0.5, 0.61)))
    assert tuned.startswith(f"{few_labels.TUNED} against {few_labels.PROBE}, by labels of each class: 10: ")
    assert "20: +10" in tuned
