"""Accuracies and their changes in words: by hand, and never more than the seeds can show."""

import pytest

from gradlab.report import (
    accuracies_sentence,
    accuracy_of,
    change_compared,
    changes_table,
    differences,
    finding,
    gain_text,
    images_caution,
    measured_arms,
    measured_counts,
    reading,
    summarise_rows,
    value_of,
)


def document(**arms):
    """Results with one test accuracy a seed, in the order given."""
    rows = [
        {"arm": arm, "seed": seed, "split": "test", "accuracy": accuracy}
        for arm, accuracies in arms.items()
        for seed, accuracy in enumerate(accuracies)
    ]
    found, comparisons = summarise_rows(rows)
    return {"arms": found, "comparisons": comparisons}


SEVEN = [0.50, 0.51, 0.52, 0.53, 0.52, 0.51, 0.50]


def above(values, gains):
    return [value + gain for value, gain in zip(values, gains, strict=True)]


def test_an_accuracy_comes_with_its_interval_and_seeds():
    results = document(MLP=[0.52, 0.53, 0.54])
    assert accuracy_of(results, "MLP") == "53.0 % [50.5, 55.5] (n = 3)"  # 4.303 * 0.01 / sqrt(3) = 0.0248
    assert accuracy_of(results, "MLP", split="validation") == "not measured"
    assert accuracies_sentence(results) == "Accuracy on the test split: MLP 53.0 % [50.5, 55.5] (n = 3)."
    assert accuracies_sentence(results, split="validation") == "Nothing was measured on the validation split."


@pytest.mark.parametrize(
    ("tested", "gain", "lowered", "told"),
    [
        (27, 0.02, 0.0, "holds for these 27 test images alone: others could move a mean by up to 18.0 points"),
        (27, 0.02, 0.3, "No network is clearly better than guessing, which is right 33.3 % of the time. What"),
        (27, 0.30, 0.0, ""),  # more than other images could take away
        (100_000, 0.02, 0.0, ""),
        (27, 0.0, 0.0, ""),  # nothing is shown
    ],
)
def test_what_so_few_images_show_is_not_told_of_all_images(tested, gain, lowered, told):
    first = [value - lowered for value in SEVEN]
    results = document(a=first, b=above(first, [gain * (1 + seed / 100) for seed in range(7)]))
    results["environment"] = {"data": {"sizes": {"test": tested}, "classes": ["x", "y", "z"]}}
    found = images_caution(results, list(differences(results, "a", ["b"]).values()))
    assert told in found
    assert bool(told) == bool(found)


def test_other_metrics_have_their_own_units():
    rows = [{"arm": "a", "seed": seed, "split": "test", "elbo": -101.0 - seed} for seed in range(3)]
    arms, _comparisons = summarise_rows(rows)
    assert value_of({"arms": arms}, "a", "test_elbo") == "−102.0 [−104.5, −99.5] (n = 3)"  # 4.303 * 1 / sqrt(3) = 2.48
    assert value_of({"arms": arms}, "a", "test_kl") == "not measured"
    assert value_of({"arms": arms}, "b", "test_elbo") == "not measured"


def test_one_seed_has_no_interval():
    results = document(plain=[0.5], wide=[0.6])
    (change,) = differences(results, "plain", ["wide"]).values()
    assert gain_text(change) == "+10.00 points"
    assert reading(change) == "+10.00 points (too few seeds)"


@pytest.mark.parametrize(
    ("gains", "shown"),
    [
        ([0.01, 0.02, 0.03, 0.02, 0.01, 0.02, 0.03], "better"),  # 2 of 2^7 sign patterns: p = 0.016
        ([-0.01, -0.02, -0.03, -0.02, -0.01, -0.02, -0.03], "worse"),
        ([0.01, -0.02, 0.03, -0.02, 0.01, -0.02, 0.03], "no difference shown"),
        ([0.0] * 7, "equal"),
    ],
)
def test_what_seven_seeds_show(gains, shown):
    (change,) = differences(document(plain=SEVEN, idea=above(SEVEN, gains)), "plain", ["idea"]).values()
    assert finding(change) == shown


def test_three_seeds_show_nothing_however_large_the_change():
    (change,) = differences(document(plain=[0.5, 0.5, 0.5], idea=[0.9, 0.91, 0.92]), "plain", ["idea"]).values()
    assert finding(change) == "too few seeds"
    assert reading(change) == "+41.0 points [38.5, 43.5] (too few seeds; 0 is outside the interval)"


def test_equal_changes_are_told_without_an_interval_and_wide_ones_end_at_100_points():
    (change,) = differences(document(plain=[0.25, 0.5], idea=[0.5, 0.75]), "plain", ["idea"]).values()
    assert reading(change) == "+25.00 points on every seed (too few seeds)"
    (change,) = differences(document(plain=[0.1, 0.9], idea=[0.9, 0.8]), "plain", ["idea"]).values()
    assert gain_text(change) == "+35 points [−100, 100]"


def test_a_fall_has_a_minus():
    (change,) = differences(document(plain=[0.5, 0.52, 0.5], idea=[0.4, 0.41, 0.42]), "plain", ["idea"]).values()
    assert gain_text(change) == "−10 points [−13, −6]"
    assert "0 is outside the interval" in reading(change)


def test_a_larger_family_needs_more_seeds():
    gains = [0.01, 0.02, 0.03, 0.02, 0.01, 0.02, 0.03]
    family = {f"idea {number}": above(SEVEN, gains) for number in range(4)}
    alone = differences(document(plain=SEVEN, **family), "plain", ["idea 0"])
    together = differences(document(plain=SEVEN, **family), "plain", list(family))
    assert finding(alone["idea 0"]) == "better"
    assert finding(together["idea 0"]) == "too few seeds"  # 4 * 2 / 2^7 = 0.0625


def test_arms_that_cannot_be_paired_are_left_out():
    results = document(plain=[0.5, 0.6], idea=[0.6, 0.7])
    assert differences(results, "plain", ["missing"]) == {}
    assert differences(results, "missing", ["idea"]) == {}
    assert measured_arms(results) == ["plain", "idea"]
    assert measured_arms(results, "validation_accuracy") == []


def test_changes_are_compared_seed_by_seed():
    results = document(
        mlp=[0.50, 0.52, 0.51], mlp_shuffled=[0.50, 0.51, 0.52], net=[0.80, 0.81, 0.82], net_shuffled=[0.60, 0.62, 0.61]
    )
    more = change_compared(results, ("net_shuffled", "net"), ("mlp_shuffled", "mlp"))
    assert more is not None
    # Seed by seed: -0.20 - 0.00, -0.19 + 0.01, -0.21 - 0.01.
    assert more.mean_difference == pytest.approx((-0.20 - 0.18 - 0.22) / 3)
    assert change_compared(results, ("net_shuffled", "net"), ("mlp_shuffled", "missing")) is None


def test_the_table_of_changes_has_a_row_for_each_arm_and_no_change_for_a_baseline():
    results = document(plain=[0.5, 0.5, 0.5], wide=[0.6, 0.61, 0.62], net=[0.7, 0.7, 0.71])
    table = changes_table(results, {"plain": ["wide", "missing"], "net": []}, caption="By hand.")
    assert [row[0] for row in table.rows] == ["plain", "wide", "net"]
    assert table.rows[0][2:] == ("–", "–")
    assert table.rows[1][2:] == ("+11.0 points [8.5, 13.5]", "too few seeds")
    assert table.caption.startswith("By hand. The change is paired by seed")


def test_numbers_are_read_from_the_names_of_metrics():
    metrics = ["test_probe_20_accuracy", "test_probe_5_accuracy", "test_probe_accuracy", "validation_probe_7_accuracy"]
    results = {"arms": {"a": {"metrics": dict.fromkeys(metrics[:2])}, "b": {"metrics": dict.fromkeys(metrics)}}}
    assert measured_counts(results, "test_probe_#_accuracy") == [5, 20]
    assert measured_counts(results, "test_#_labels_accuracy") == []
