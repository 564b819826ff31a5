"""Blocks over a plane: what they refuse, what they say of themselves, and a field between its grid points."""

import numpy as np
import pytest

from gradlab.errors import UsageError
from gradlab.report import Field, FieldChart, HeatMaps, Path, PointSet, ScatterChart, SurfaceChart, point_sets


def slope(**changes):
    """10 x + y over x in [0, 2] and y in [0, 1], on a grid of 3 columns and 2 rows."""
    values = np.array([[0.0, 10.0, 20.0], [1.0, 11.0, 21.0]])
    return Field(**({"values": values, "x": (0, 2), "y": (0, 1)} | changes))


def test_a_field_is_known_between_its_grid_points_and_nowhere_outside():
    points = np.array([[0.0, 0.0], [2.0, 1.0], [0.5, 0.25], [1.75, 0.5], [2.1, 0.5], [1.0, -0.1]])
    found = slope().at(points)
    assert found[:4] == pytest.approx(10 * points[:4, 0] + points[:4, 1])
    assert np.isnan(found[4:]).all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"values": np.zeros((1, 5))}, r"at least 2 x 2: got \(1, 5\)"),
        ({"values": np.full((2, 2), np.nan)}, "not finite"),
        ({"x": (1, 1)}, "from low to high"),
    ],
)
def test_a_field_refuses_what_it_cannot_show(changes, told):
    with pytest.raises(UsageError, match=told):
        slope(**changes)


@pytest.mark.parametrize("points", [np.zeros((3, 3)), np.zeros(2), np.array([[0.0, np.inf]])])
def test_points_are_finite_pairs(points):
    with pytest.raises(UsageError, match="'a' needs finite points"):
        PointSet("a", points)


def test_a_path_has_a_point():
    with pytest.raises(UsageError, match="the path 'a' has no point"):
        Path("a", np.zeros((0, 2)))


def test_logarithms_need_values_above_0():
    with pytest.raises(UsageError, match="logarithmic colours need values above 0"):
        FieldChart(slope(), "t", log=True)
    with pytest.raises(UsageError, match="logarithmic height needs values above 0"):
        SurfaceChart(slope(), "t", log=True)
    with pytest.raises(UsageError, match="elevation must be above 0 and below 90 degrees: got 90"):
        SurfaceChart(slope(), "t", elevation=90)


def test_a_scatter_chart_has_an_end():
    with pytest.raises(UsageError, match="at most 10,000 points: got 10,001"):
        ScatterChart([PointSet("a", np.zeros((10_001, 2)))], "t")


@pytest.mark.parametrize(
    ("matrices", "more", "told"),
    [
        ([np.zeros((2, 2))], {"names": []}, "1 heat maps need as many names: got 0"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], {"names": ["a", "b"]}, "matrices of one shape"),
        ([np.zeros((65, 2))], {"names": ["a"]}, "at most 64 x 64"),
        ([np.zeros((2, 3))], {"names": ["a"], "column_labels": ["x", "y"]}, "need as many labels: got 2"),
        ([np.full((2, 2), np.nan)], {"names": ["a"]}, "not finite"),
        ([np.zeros((2, 3))], {"names": ["a"], "frames": [(0, 0, 1, 1)] * 2}, "need as many frames: got 2"),
        (
            [np.zeros((2, 3))],
            {"names": ["a"], "frames": [(1, 0, 2, 1)]},
            r"leaves its heat map of 2 x 3: \(1, 0, 2, 1\)",
        ),
    ],
)
def test_heat_maps_refuse_what_does_not_fit(matrices, more, told):
    with pytest.raises(UsageError, match=told):
        HeatMaps(matrices, title="t", **more)


def test_points_are_sorted_by_class_and_keep_its_colour():
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    made = point_sets(points, np.array([2, 0, 2]), ["a", "b", "c"])
    assert [(group.name, group.colour, group.points.tolist()) for group in made] == [
        ("a", 0, [[2.0, 3.0]]),
        ("c", 2, [[0.0, 1.0], [4.0, 5.0]]),
    ]


def test_charts_describe_themselves():
    walk = Path("Adam", np.array([[0.0, 0.0], [1.0, 0.5]]))
    cloud = PointSet("ones", np.zeros((1, 2)))
    assert FieldChart(slope(), "t", points=[cloud], paths=[walk]).alt == (
        "Heat map of value over x from 0 to 2 and y from 0 to 1, between 0 and 21; 1 point of ones; "
        "Adam goes from (0, 0) to (1, 0.5) in 1 step."
    )
    assert SurfaceChart(slope(), "t", paths=[walk]).alt.startswith("Surface of value over x")
    assert ScatterChart([cloud], "t").alt == "Points of y against x: 1 point of ones."
    assert HeatMaps([np.zeros((2, 3))], ["h"], "t", label="attention").alt == "1 heat map of 2 x 3, attention: h."
