import csv
import io
import math

import pytest

from gradlab.errors import UsageError
from gradlab.report import line_chart
from gradlab.report.compose import figure_csv
from gradlab.stats import summarise


def test_means_and_bands_equal_the_statistics_and_so_does_the_csv(rows):
    chart = line_chart(rows, where={"split": ["train", "validation"]}, percent=True)
    assert [(line.name, line.style) for line in chart.lines][:2] == [("MLP", "train"), ("MLP", "validation")]
    found = list(csv.DictReader(io.StringIO(figure_csv(chart))))
    assert len(found) == sum(len(line.x) for line in chart.lines) == 3 * 2 * 4
    for point in found:
        keys = (point["arm"], point["split"], float(point["epoch"]))
        values = [row["accuracy"] for row in rows if (row["arm"], row["split"], row.get("epoch")) == keys]
        summary = summarise(values)
        assert float(point["accuracy"]) == summary.mean
        assert (float(point["low"]), float(point["high"])) == (summary.low, summary.high)
        assert int(point["n"]) == 3


@pytest.mark.parametrize(("y", "percent", "cut"), [("accuracy", True, True), ("error", True, True),
                                                   ("accuracy", False, False), ("gap", True, False)])  # fmt: skip
def test_bands_of_shares_end_at_0_and_1(y, percent, cut):
    rows = [{"arm": "a", "seed": seed, "epoch": 1, y: value} for seed, value in enumerate([0.01, 0.5, 0.99])]
    (line,) = line_chart(rows, y=y, percent=percent).lines
    assert (line.low == (0.0,)) == (line.high == (1.0,)) == cut


def test_the_caption_tells_the_seeds(make_rows):
    few = line_chart(make_rows(), where={"split": "train"}, caption="Own.")
    assert few.caption == "Own. Mean over 3 seeds; the thin lines are the seeds, which are too few for a band."
    enough = line_chart(make_rows(seeds=4), where={"split": "train"})
    assert enough.caption == "Mean over 4 seeds; the band is the 95 % interval of the mean."
    alone = line_chart(make_rows(seeds=1), where={"split": "train"})
    assert alone.caption == "One seed, so there is no interval."
    assert set(alone.lines[0].low) == {None}
    uneven = [*make_rows(arms=("a",), seeds=1), *make_rows(arms=("b",), seeds=2)]
    assert "1 to 2 seeds" in line_chart(uneven, where={"split": "train"}).caption
    mixed = line_chart([*uneven, *make_rows(arms=("c",), seeds=4)], where={"split": "train"})
    assert mixed.caption.endswith("where 3 seeds or fewer are left there is none, and thin lines are the seeds.")


def test_a_line_of_up_to_3_seeds_keeps_the_value_of_each(make_rows):
    rows = [row for row in make_rows(arms=("a",)) if (row["seed"], row.get("epoch")) != (1, 3)]
    chart = line_chart(rows, where={"split": "train"})
    seeds = dict(chart.lines[0].seeds)
    assert list(seeds) == ["0", "1", "2"]
    assert seeds["1"] == tuple(
        next((row["accuracy"] for row in rows if (row["seed"], row.get("epoch"), row["split"]) == (1, epoch, "train")),
             None)
        for epoch in (1, 2, 3, 4)
    )  # fmt: skip
    assert seeds["1"].count(None) == 1
    assert chart.lines[0].banded() == []
    points = list(csv.DictReader(io.StringIO(figure_csv(chart))))
    assert [point["seed 1"] for point in points] == ["" if value is None else str(value) for value in seeds["1"]]
    (line,) = line_chart(make_rows(arms=("a",), seeds=4), where={"split": "train"}).lines
    assert (line.seeds, line.banded()) == ((), [0, 1, 2, 3])


def test_what_is_not_finite_is_left_out_and_told(make_rows):
    rows = make_rows(arms=("a",), seeds=2, epochs=2)
    broken = [row | {"accuracy": math.nan} if row["seed"] == 1 and row.get("epoch") == 2 else row for row in rows]
    chart = line_chart(broken, where={"split": "train"})
    assert chart.lines[0].n == (2, 1)
    assert chart.lines[0].low[1] is None
    assert "1 measurement not finite and left out." in chart.caption


def test_an_arm_keeps_its_colour_when_others_are_left_out(rows):
    chart = line_chart(rows, where={"arm": ["LeNet"], "split": "train"})
    assert [(line.name, line.colour) for line in chart.lines] == [("LeNet", 1)]


def test_rows_that_cannot_be_told_apart_are_refused(rows):
    with pytest.raises(UsageError, match="two values for MLP, seed 0, epoch 1: narrow `where`"):
        line_chart(
            [*rows, {"arm": "MLP", "seed": 0, "epoch": 1, "split": "train", "accuracy": 0.1}], where={"split": "train"}
        )


def test_a_logarithmic_axis_leaves_out_what_it_cannot_show_and_says_so():
    losses = {"a": (1.0, 0.0, 0.5), "b": (0.0, 0.0, -1.0)}
    rows = [
        {"arm": arm, "seed": 0, "epoch": epoch, "split": "train", "loss": loss}
        for arm, values in losses.items()
        for epoch, loss in enumerate(values)
    ]
    chart = line_chart(rows, y="loss", log_y=True)
    assert [(line.name, line.x, line.mean) for line in chart.lines] == [("a", (0.0, 2.0), (1.0, 0.5))]
    assert "4 points not above 0 and off the logarithmic scale." in chart.caption
    assert [line.x for line in line_chart(rows, y="loss", log_x=True).lines] == [(1.0, 2.0), (1.0, 2.0)]
    second = [row | {"seed": 1, "loss": 0.5} for row in rows]
    (line, _) = line_chart([*rows, *second], y="loss", log_y=True).lines
    assert line.seeds == (("0", (1.0, None, 0.5)), ("1", (0.5, 0.5, 0.5)))
    assert len(line_chart(rows, y="loss").lines) == 2


def test_labels_and_alternative_text_are_made_where_they_are_not_given(rows):
    chart = line_chart(rows, where={"split": "validation"}, percent=True)
    assert (chart.title, chart.x_label, chart.y_label) == ("Accuracy by epoch", "epoch", "validation accuracy")
    assert chart.alt.startswith(
        "Line chart of validation accuracy against epoch. MLP ends at 91.6 % [91.1, 92.1]; LeNet"
    )
    assert line_chart([]).lines == ()


def test_a_logarithmic_axis_gets_geometric_means_and_intervals():
    rows = [{"arm": "a", "seed": seed, "epoch": 1, "error": error} for seed, error in enumerate((0.001, 0.01, 0.1))]
    (line,) = line_chart(rows, y="error", log_y=True).lines
    assert line.mean == (pytest.approx(0.01),)
    assert line.low[0] > 0  # the arithmetic interval would reach below 0
    assert line.high[0] / 0.01 == pytest.approx(0.01 / line.low[0])
    (plain,) = line_chart(rows, y="error").lines
    assert plain.low[0] < 0


def test_a_seed_without_error_makes_all_means_of_a_logarithmic_axis_arithmetic():
    """One point by another formula than its neighbours would be a bend that nobody measured."""
    measured = {1: (0.01, 0.04), 2: (0.0, 0.02)}
    rows = [{"arm": "a", "seed": seed, "epoch": epoch, "error": error}
            for epoch, errors in measured.items() for seed, error in enumerate(errors)]  # fmt: skip
    chart = line_chart(rows, y="error", log_y=True)
    assert chart.lines[0].mean == (pytest.approx(0.025), pytest.approx(0.01))
    assert "Mean over 2 seeds" in chart.caption
