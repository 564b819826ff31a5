from dataclasses import replace

import pytest

from gradlab.report.blocks import Line, LineChart
from gradlab.report.scales import angle_ticks, linear_ticks, log_ticks, padded, tick_labels, value_range


def chart_of(mean, low, high, **kind):
    line = Line("a", "", tuple(range(len(mean))), tuple(mean), tuple(low), tuple(high), (5,) * len(mean))
    return LineChart((line,), "t", "x", "y", **kind)


def test_ticks_are_round_and_inside():
    assert linear_ticks(0.951, 1.0) == pytest.approx([0.96, 0.97, 0.98, 0.99, 1.0])
    assert linear_ticks(1, 10, whole=True) == [2, 4, 6, 8, 10]
    assert log_ticks(0.5, 2000) == [1, 10, 100, 1000]
    assert log_ticks(1.5, 7) == [2, 5]


def test_angles_are_marked_at_parts_of_a_right_angle():
    assert angle_ticks(0, 360, count=8) == [0, 45, 90, 135, 180, 225, 270, 315, 360]
    assert angle_ticks(0, 360, count=5) == [0, 90, 180, 270, 360]
    assert angle_ticks(-20, 21, count=5) == [-20, -10, 0, 10, 20]
    assert angle_ticks(0, 1e6, count=5)[1] == 360


@pytest.mark.parametrize(
    ("ticks", "percent", "labels"),
    [
        ([0.96, 0.97, 0.98], True, ["96", "97", "98"]),
        ([0.975, 0.98, 0.985], True, ["97.5", "98.0", "98.5"]),
        ([0, 2.5, 5], False, ["0.0", "2.5", "5.0"]),
        ([-1000, 0, 1000], False, ["−1,000", "0", "1,000"]),
        ([0.5], False, ["0.5"]),
    ],
)
def test_tick_labels_have_the_decimals_they_need(ticks, percent, labels):
    assert tick_labels(ticks, percent=percent) == labels


def test_logarithmic_labels():
    assert tick_labels([0.001, 10, 10_000], percent=False, log=True) == ["0.001", "10", "10,000"]
    assert tick_labels([1e-6, 2e8], percent=False, log=True) == ["10⁻⁶", "2·10⁸"]


def test_a_share_never_gets_an_axis_far_beyond_100_percent():
    low, high = value_range(chart_of([0.9, 0.98], [0.8, 0.9], [1.0, 1.06], percent=True))
    assert 0.8 < low < 0.9
    assert 1.0 <= high < 1.01


def test_wide_bands_do_not_dwarf_the_lines():
    low, high = value_range(chart_of([1.0, 2.0], [-50.0, -50.0], [50.0, 50.0]))
    assert high - low < 2.5


def test_every_drawn_seed_is_inside_and_no_band_counts_that_is_not_drawn():
    chart = chart_of([1.0, 2.0], [-50.0, -50.0], [50.0, 50.0])
    line = replace(chart.lines[0], n=(3, 3), seeds=(("0", (1.0, None)), ("1", (1.5, 3.9))))
    low, high = value_range(replace(chart, lines=(line,)))
    assert 0.8 < low < 1.0
    assert 3.9 < high < 4.2
    assert value_range(replace(chart, lines=(replace(line, seeds=()),)))[1] < 2.1


@pytest.mark.parametrize("log", [False, True])
def test_equal_values_still_get_a_range(log):
    low, high = value_range(chart_of([0.5, 0.5], [None, None], [None, None], log_y=log))
    assert low < 0.5 < high
    low, high = padded([3, 3], log=log)
    assert low < 3 < high
