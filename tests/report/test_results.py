import json
import math

import pytest

from gradlab.errors import UsageError
from gradlab.report import results, summarise_rows
from gradlab.report.results import is_summary_row, metric_names, values_by_seed

# Student's t quantile at 0.975 for 2 degrees of freedom is sqrt(2) * 0.95 / sqrt(2 * 0.975 * 0.025 * 2).
T2 = 0.95 * math.sqrt(2) / math.sqrt(4 * 0.975 * 0.025)


def test_row(arm, seed, **measured):
    return {"arm": arm, "seed": seed, "split": "test", **measured}


test_row.__test__ = False


def three(arm, values, **more):
    return [test_row(arm, seed, accuracy=value, **more) for seed, value in enumerate(values)]


def test_statistics_equal_those_worked_by_hand():
    arms, comparisons = summarise_rows(three("a", [0.95, 0.96, 0.97]), parameters={"a": 10})
    metric = arms["a"]["metrics"]["test_accuracy"]
    assert arms["a"]["parameters"] == 10
    assert arms["a"]["seeds"] == [0, 1, 2]
    assert metric["values"] == [0.95, 0.96, 0.97]
    assert metric["mean"] == pytest.approx(0.96)
    assert metric["std"] == pytest.approx(0.01)
    half = T2 * 0.01 / math.sqrt(3)
    assert metric["ci95"] == pytest.approx([0.96 - half, 0.96 + half])
    assert comparisons == []


def test_intervals_of_shares_end_at_0_and_1_and_no_others():
    rows = [{**row, "loss": row["accuracy"]} for row in three("a", [0.97, 0.98, 0.99]) + three("b", [0.5, 0.6, 0.7])]
    arms, comparisons = summarise_rows(rows)
    half = T2 * 0.01 / math.sqrt(3)
    assert arms["a"]["metrics"]["test_accuracy"]["ci95"] == pytest.approx([0.98 - half, 1.0])
    assert arms["a"]["metrics"]["test_loss"]["ci95"] == pytest.approx([0.98 - half, 0.98 + half])
    difference = next(entry for entry in comparisons if entry["metric"] == "test_accuracy")
    assert difference["ci95"] == pytest.approx([-0.38 - 9 * half, -0.38 + 9 * half]), "differences are not cut"


def test_intervals_of_differences_of_accuracies_end_at_100_points_and_those_of_losses_do_not():
    values = {"a": (0.1, 0.9), "b": (0.9, 0.8)}
    rows = [{"arm": arm, "seed": seed, "split": "test", "accuracy": value, "loss": value}
            for arm, pair in values.items() for seed, value in enumerate(pair)]  # fmt: skip
    _, comparisons = summarise_rows(rows)
    found = {entry["metric"]: entry["ci95"] for entry in comparisons}
    assert found["test_accuracy"] == [-1.0, 1.0]
    assert found["test_loss"] == pytest.approx([0.35 - 5.718, 0.35 + 5.718], abs=0.001)


def test_comparisons_are_paired_by_seed_against_the_first_arm():
    rows = three("a", [0.90, 0.91, 0.92]) + three("b", [0.91, 0.93, 0.95])
    _, (comparison,) = summarise_rows(rows)
    assert (comparison["treatment"], comparison["baseline"]) == ("b", "a")
    assert comparison["metric"] == "test_accuracy"
    assert comparison["mean_difference"] == pytest.approx(0.02)
    half = T2 * 0.01 / math.sqrt(3)
    assert comparison["ci95"] == pytest.approx([0.02 - half, 0.02 + half])
    # All three differences are positive: 2 of the 8 sign patterns are as extreme.
    assert comparison["p_value"] == pytest.approx(0.25)
    assert comparison["larger_is_better"] is True
    assert comparison["wins"] == 3


def test_a_loss_is_better_when_smaller_and_an_unknown_metric_needs_a_direction():
    rows = [test_row(arm, seed, loss=value, wiggle=value) for arm, value in (("a", 1.0), ("b", 0.5)) for seed in (0, 1)]
    _, comparisons = summarise_rows(rows)
    assert [(c["metric"], c["larger_is_better"], c["wins"]) for c in comparisons] == [("test_loss", False, 2)]
    _, comparisons = summarise_rows(rows, directions={"test_wiggle": True})
    assert [(c["metric"], c["wins"]) for c in comparisons] == [("test_loss", 2), ("test_wiggle", 0)]


def test_several_arms_are_adjusted_together():
    rows = three("a", [0.9, 0.91, 0.92]) + three("b", [0.91, 0.93, 0.95]) + three("c", [0.8, 0.83, 0.85])
    _, comparisons = summarise_rows(rows)
    assert [c["treatment"] for c in comparisons] == ["b", "c"]
    assert [c["p_adjusted"] for c in comparisons] == pytest.approx([0.5, 0.5])


def test_the_parameters_give_the_order_of_the_arms():
    rows = three("b", [0.5] * 3) + three("a", [0.6] * 3) + three("c", [0.7] * 3)
    arms, comparisons = summarise_rows(rows, parameters={"a": 1, "b": 2, "never ran": 3})
    assert list(arms) == ["a", "b", "c"]
    assert arms["c"]["parameters"] is None
    assert {c["baseline"] for c in comparisons} == {"a"}


def test_only_summary_rows_count():
    assert is_summary_row(test_row("a", 0, accuracy=0.5))
    assert not is_summary_row(test_row("a", 0, accuracy=0.5, epoch=1))
    assert not is_summary_row(test_row("a", 0, accuracy=0.5, angle=30.0))
    assert not is_summary_row(test_row("a", 0, accuracy=0.5, corruption="fog"))
    assert not is_summary_row(test_row("a", 0))
    assert not is_summary_row({"arm": "a", "seed": 0, "accuracy": 0.5})
    arms, _ = summarise_rows([test_row("a", 0, accuracy=0.5, epoch=1)])
    assert arms == {}


def test_two_values_for_one_place_are_refused():
    with pytest.raises(UsageError, match="arm 'a', seed 0 has two values of test_accuracy"):
        summarise_rows([test_row("a", 0, accuracy=0.5), test_row("a", 0, accuracy=0.6)])
    arms, _ = summarise_rows([test_row("a", 0, accuracy=0.5), test_row("a", 0, accuracy=0.5)])
    assert arms["a"]["metrics"]["test_accuracy"]["values"] == [0.5]


@pytest.mark.parametrize("lost", [math.nan, math.inf, None])
def test_what_is_not_finite_becomes_null_and_stays_out_of_the_statistics(lost):
    rows = [*three("a", [0.5, 0.6]), test_row("a", 2, accuracy=lost), *three("b", [0.7, 0.8, 0.9])]
    document = results(rows, experiment="e", command="c", environment={}, seconds=1.0)
    metric = document["arms"]["a"]["metrics"]["test_accuracy"]
    assert metric["values"] == [0.5, 0.6, None]
    assert metric["mean"] == pytest.approx(0.55)
    assert document["comparisons"][0]["n"] == 2
    assert "NaN" not in json.dumps(document, allow_nan=False)


def test_one_seed_has_no_interval_and_nothing_finite_no_mean():
    arms, _ = summarise_rows([test_row("a", 5, accuracy=0.5, loss=math.nan)])
    assert arms["a"]["metrics"]["test_accuracy"] == {"values": [0.5], "mean": 0.5, "std": None, "ci95": None}
    assert arms["a"]["metrics"]["test_loss"] == {"values": [None], "mean": None, "std": None, "ci95": None}


def test_a_metric_that_an_arm_lacks_is_compared_among_the_others():
    rows = [*three("a", [0.5, 0.6, 0.7]), *three("b", [0.6, 0.7, 0.8]), test_row("b", 0, elbo=-90.0)]
    arms, comparisons = summarise_rows(rows)
    assert list(arms["a"]["metrics"]) == ["test_accuracy"]
    assert arms["b"]["metrics"]["test_elbo"]["values"] == [-90.0, None, None]
    assert [c["metric"] for c in comparisons] == ["test_accuracy"]
    assert metric_names(arms) == ["test_accuracy", "test_elbo"]
    assert values_by_seed(arms["b"], "test_elbo") == {0: -90.0}
    assert values_by_seed(arms["a"], "test_elbo") == {}


def test_the_document_has_the_stable_keys_and_does_not_depend_on_the_order_of_seeds(rows):
    document = results(rows, experiment="e", command="c", environment={"python": "3"}, seconds=2.5)
    keys = ["schema", "experiment", "command", "environment", "seconds", "arms", "comparisons"]
    assert list(document) == keys
    assert document["schema"] == 1
    again = results(
        sorted(rows, key=lambda row: -row["seed"]),
        experiment="e",
        command="c",
        environment={"python": "3"},
        seconds=2.5,
    )
    by_arm = {arm: document["arms"][arm] for arm in again["arms"]}
    assert again["arms"] == by_arm


def test_no_rows_give_an_empty_document():
    assert summarise_rows([]) == ({}, [])
