import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.report import line_chart
from gradlab.report.draw_lines import draw_lines, spread
from gradlab.report.palette import LIGHT
from gradlab.report.sheet import NARROW, WIDE, as_svg, drawing


@given(st.lists(st.floats(0, 300), min_size=1, max_size=10))
def test_labels_keep_their_order_and_their_distance(places):
    settled = spread(places, 0, 300, gap=17)
    pairs = sorted(zip(places, settled, strict=True))
    assert all(
        second - first >= 17 - 1e-6 for (_, first), (_, second) in itertools.pairwise(sorted(pairs, key=lambda p: p[1]))
    )
    assert all(first <= second for (_, first), (_, second) in itertools.pairwise(pairs) if first != second)
    assert min(settled) >= 0
    assert max(settled) <= 300


def test_labels_that_do_not_overlap_stay():
    assert spread([10, 100, 50], 0, 300) == pytest.approx([10, 100, 50])


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("arms", [1, 12])
def test_every_arm_is_named_in_the_drawing(make_rows, width, arms):
    names = [f"arm {place}" for place in range(arms)]
    chart = line_chart(make_rows(arms=names, seeds=1), where={"split": ["train", "validation"]}, percent=True)
    with drawing():
        svg = as_svg(draw_lines(chart, width, LIGHT.tokens()))
    assert all(f">{name}<" in svg for name in [*names, "train", "validation", "accuracy, %", "epoch"])


def _accuracies(rows):
    return line_chart(rows, where={"split": ["train", "validation"]}, percent=True)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_long_names_stand_whole_in_the_key(make_rows, width):
    names = ["a strided network over sixteen angles", "a strided network over eight angles"]
    with drawing():
        svg = as_svg(draw_lines(_accuracies(make_rows(arms=names, seeds=1)), width, LIGHT.tokens()))
    assert all(f">{name}<" in svg for name in names)


def test_names_longer_than_the_chart_are_each_in_the_key(make_rows):
    names = [f"{'a very long name ' * 8}{end}" for end in ("one", "two")]
    with drawing():
        svg = as_svg(draw_lines(_accuracies(make_rows(arms=names, seeds=1)), NARROW, LIGHT.tokens()))
    assert all(f"{end}<" in svg for end in ("one", "two"))


@pytest.mark.parametrize("seeds", [1, 2, 3, 4])
def test_few_seeds_are_drawn_as_lines_and_more_as_a_band(make_rows, seeds):
    chart = line_chart(make_rows(arms=("a",), seeds=seeds), where={"split": "train"})
    with drawing():
        (axes,) = draw_lines(chart, WIDE, LIGHT.tokens()).figure.axes
    assert len(axes.collections) == (1 if seeds == 4 else 0)
    assert len(axes.lines) == (1 + seeds if seeds in (2, 3) else 1)
    thin = sorted(axes.lines, key=lambda line: line.get_linewidth())[0]
    assert thin.get_ydata()[0] == pytest.approx(chart.lines[0].mean[0] if seeds in (1, 4) else 0.91)


def test_a_single_place_shows_its_interval(make_rows):
    chart = line_chart(make_rows(arms=("a",), epochs=1), where={"split": "train"}, log_x=True, log_y=True)
    with drawing():
        assert "nan" not in as_svg(draw_lines(chart, WIDE, LIGHT.tokens())).lower()


def test_a_band_below_0_is_cut_on_a_logarithmic_axis():
    rows = [{"arm": "a", "seed": s, "epoch": e, "loss": 10.0**-s} for s in range(5) for e in (1, 2, 3)]
    chart = replace(line_chart(rows, y="loss"), log_y=True)  # arithmetic intervals, as an experiment may draw its own
    assert chart.lines[0].low[0] < 0
    with drawing():
        svg = as_svg(draw_lines(chart, WIDE, LIGHT.tokens())).lower()
    assert "nan" not in svg
    assert "inf" not in svg
