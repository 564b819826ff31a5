import math

import pytest

from gradlab.report import point_chart, results, results_table, summarise_rows
from gradlab.report.tables import comparisons_table, missing_told, sampling_told, shown, verdicts


@pytest.fixture
def document(rows):
    return results(rows, experiment="e", command="c", environment={}, seconds=1.0, parameters={"MLP": 1234})


def test_cells_hold_mean_and_interval(document):
    table = results_table(document, ["test_accuracy"])
    assert table.header == ("Arm", "Parameters", "Seeds", "Test accuracy")
    assert table.rows[0] == ("MLP", "1,234", "3", "90.2 % [89.7, 90.7]")
    assert table.rows[1][1] == "–"
    assert table.metrics == ("test_accuracy",)


def test_the_note_on_intervals_says_where_they_are_cut(document):
    assert "cut off at 0 and 100 % where it is a share." in results_table(document, ["test_accuracy"]).caption
    assert "cut" not in results_table(document, ["test_loss"]).caption


@pytest.mark.parametrize(
    ("shares", "count", "points"),
    # Worked out by hand from Wilson's formula with z = 1.96.
    [
        ([0.5], 100, "9.6"),
        ([1.0], 27, "12.5"),
        ([0.0, 1.0], 27, "12.5"),
        ([0.9, None], 400, "3.3"),
        ([1.0], 10_000, "0.0"),
    ],
)
def test_other_test_images_would_move_an_accuracy(shares, count, points):
    arms = {f"arm {place}": {"metrics": {"test_accuracy": {"mean": share}}} for place, share in enumerate(shares)}
    told = sampling_told({"arms": arms, "environment": {"data": {"sizes": {"test": count}}}}, ["test_accuracy"])
    assert told == f"Other {count:,} test images could move a mean as well, by up to {points} points (95 %, Wilson)."


def test_the_table_says_so_below(document):
    table = results_table(document | {"environment": {"data": {"sizes": {"test": 400}}}}, ["test_accuracy"])
    assert "Other 400 test images could move a mean" in table.caption


@pytest.mark.parametrize(("reached", "told"), [(0.45, True), (0.5, False)])
def test_what_guessing_reaches_stands_beside_accuracies_near_it(reached, told):
    data = {"sizes": {"test": 50}, "classes": ["a", "b", "c"]}
    arms = {
        name: {"metrics": {"test_accuracy": {"mean": mean}}} for name, mean in {"poor": reached, "good": 0.9}.items()
    }
    found = sampling_told({"arms": arms, "environment": {"data": data}}, ["test_accuracy"])
    assert ("Guessing among 3 equally frequent classes is right 33.3 % of the time." in found) == told


def test_where_no_number_of_test_images_is_known_nothing_is_said_of_others(document):
    assert sampling_told(document, ["test_accuracy"]) == ""
    known = document | {"environment": {"data": {"sizes": {"test": 400}}}}
    assert sampling_told(known, ["test_loss"]) == ""
    assert sampling_told({"arms": {}, "environment": known["environment"]}, ["test_accuracy"]) == ""
    words = {"data": {"kind": "words", "sizes": {"test": 400}}}
    assert sampling_told(document | {"environment": words}, ["test_accuracy"]) == ""


def test_many_metrics_take_a_row_each(document):
    arms = {
        arm: entry | {"metrics": entry["metrics"] | {"test_elbo": entry["metrics"]["test_loss"]}}
        for arm, entry in document["arms"].items()
    }
    table = results_table(document | {"arms": arms})
    assert table.header == ("Metric", "Arm", "Parameters", "Seeds", "Mean")
    assert len(table.rows) == 3 * 3


def test_lost_seeds_are_counted_and_told():
    rows = [
        {"arm": "a", "seed": seed, "split": "test", "loss": value} for seed, value in enumerate([1.0, math.nan, 2.0])
    ]
    document = results(rows, experiment="e", command="c", environment={}, seconds=1.0)
    assert results_table(document).rows[0][2] == "2 of 3"
    (told,) = missing_told(document)
    assert told.startswith("a: test loss is missing or not finite for 1 seed (1)")


def test_a_metric_nobody_has_is_a_dash(document):
    assert results_table(document, ["test_elbo"]).rows[0][3] == "–"
    assert point_chart(document, "test_elbo").points == ()


def test_a_point_chart_takes_mean_interval_and_reference(document):
    chart = point_chart(document, "test_accuracy", references={"MLP": 0.5})
    point = chart.points[0]
    metric = document["arms"]["MLP"]["metrics"]["test_accuracy"]
    assert (point.value, [point.low, point.high], point.n, point.reference) == (metric["mean"], metric["ci95"], 3, 0.5)
    assert chart.percent
    assert chart.points[1].reference is None


def test_what_comparisons_show():
    entry = {"ties": 0, "n": 6, "significant": True, "mean_difference": -1.0, "larger_is_better": False}
    entry |= {"smallest_p": 2**-5, "family": 1}
    assert shown(entry) == "better"
    assert shown(entry | {"larger_is_better": True}) == "worse"
    assert shown(entry | {"significant": False}) == "no difference"
    assert shown(entry | {"significant": False, "family": 2}) == "too few seeds"
    assert shown(entry | {"ties": 6}) == "equal"


def test_the_comparisons_table_says_how_small_p_can_get(document):
    table = comparisons_table([c for c in document["comparisons"] if c["metric"] == "test_accuracy"])
    assert table.rows[0][:3] == ("test accuracy", "LeNet", "+2.00 points on every seed")
    assert table.rows[0][3:] == ("0.5", "3", "too few seeds")
    assert "Holm" in table.caption
    assert "can reach a p of 0.25 at best" in table.caption


def few_rows(*arms, seeds=3):
    return [
        {"arm": arm, "seed": seed, "split": "test", metric: 0.5 + 0.01 * place * (1 + seed)}
        for place, arm in enumerate(arms)
        for seed in range(seeds)
        for metric in ("accuracy", "loss")
    ]


def test_a_limit_that_several_comparisons_share_is_said_once_with_their_lost_seeds():
    rows = [row for row in few_rows("a", "b", "c") if (row["arm"], row["seed"]) != ("c", 2)]
    _, comparisons = summarise_rows(rows, diverged={"c": {2: "step 3"}})
    three, accuracy, _loss, two, lost, _loss = verdicts(comparisons).items
    assert three.startswith("3 paired seeds are too few to tell: no difference can reach p ≤ 0.05")
    assert accuracy == "Test accuracy, difference from a: b +2.0 points [−0.5, 4.5]."
    assert two.startswith("2 paired seeds are too few to tell: no difference can reach p ≤ 0.05")
    assert lost == (
        "Test accuracy, difference from a: c +3 points [−10, 16] (seed 2 left out: not in both arms). "
        "It rests on the surviving seeds: 1 seed of c diverged."
    )


def test_a_comparison_alone_keeps_its_verdict_and_older_files_are_read():
    _, comparisons = summarise_rows(few_rows("a", "b"))
    (alone,) = verdicts(comparisons[:1]).items
    assert alone == f"Test accuracy: {comparisons[0]['verdict']}"
    older = [{name: value for name, value in entry.items() if name != "smallest_p_adjusted"} for entry in comparisons]
    assert verdicts(older) == verdicts(comparisons)
    assert verdicts(comparisons).items[0].startswith("3 paired seeds are too few to tell")


def test_what_is_shown_agrees_with_the_verdict_where_arms_have_other_seeds():
    # Holm's smallest p of 6 seeds beside 8 is 2^-5, not twice that: enough for a verdict.
    rows = [row for row in few_rows("a", "b", "c", seeds=8) if (row["arm"], row["seed"]) not in (("c", 6), ("c", 7))]
    rows = [row | {"accuracy": 1 - row["accuracy"]} if row["seed"] == 0 and "accuracy" in row and row["arm"] == "c"
            else row for row in rows]  # fmt: skip
    entry = next(entry for entry in summarise_rows(rows)[1] if (entry["metric"], entry["treatment"]) == (
        "test_accuracy", "c"))  # fmt: skip
    assert entry["verdict"].startswith("No difference shown")
    assert shown(entry) == "no difference"
