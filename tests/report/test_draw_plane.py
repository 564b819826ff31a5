"""Drawings over a plane: the right way round, small, and in both themes' colours."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from gradlab.report import (
    Field,
    FieldChart,
    HeatMaps,
    Page,
    Path,
    PointSet,
    ScatterChart,
    SurfaceChart,
    figure_png,
    point_sets,
    results,
    write_report,
)
from gradlab.report.compose import compose
from gradlab.report.draw_field import draw_field, sampled
from gradlab.report.figures import figure_csv, figure_sheet
from gradlab.report.palette import LIGHT, WRONG, stand_ins
from gradlab.report.projection import painted, view_of
from gradlab.report.sheet import NARROW, WIDE, as_png, as_svg, drawing
from gradlab.report.tint import Scale


def field_of(function, x=(0.0, 3.0), y=(0.0, 1.0), size=(31, 41)):
    values = function(*np.meshgrid(np.linspace(*x, size[1]), np.linspace(*y, size[0])))
    return Field(values=values, x=x, y=y, x_label="x1", y_label="x2")


def pixels_of(chart):
    """The drawing as RGB, and the edges of its plot in pixels."""
    with drawing():
        sheet = draw_field(chart, WIDE, LIGHT.tokens())
        image = np.asarray(Image.open(io.BytesIO(as_png(sheet, 1.0))).convert("RGB"))
    box = sheet.figure.axes[0].get_position()
    across, down = (box.x0 * WIDE, box.x1 * WIDE), ((1 - box.y1) * sheet.height, (1 - box.y0) * sheet.height)
    return image, across, down


def is_orange(image, across, down, x, y):
    """Whether the plot is orange at shares x of its width from the left and y of its height from below."""
    column = round(across[0] + x * (across[1] - across[0]))
    row = round(down[1] - y * (down[1] - down[0]))
    red, _green, blue = image[row, column].astype(int)
    return red > blue


@pytest.mark.parametrize("equal", [False, True])
def test_a_field_is_drawn_the_right_way_round(equal):
    # High only in a corner of large x and small y: transposed, mirrored or upside down it would be in another corner.
    chart = FieldChart(field_of(lambda x, y: (x > 2) * (y < 0.4) * 1.0), "t", middle=0.5, equal=equal)
    image, across, down = pixels_of(chart)
    corners = {(x, y): is_orange(image, across, down, x, y) for x in (0.05, 0.95) for y in (0.05, 0.95)}
    assert corners == {(0.95, 0.05): True, (0.95, 0.95): False, (0.05, 0.05): False, (0.05, 0.95): False}
    transposed = FieldChart(field_of(lambda x, y: (y > 2 / 3) * (x < 1.2) * 1.0), "t", middle=0.5, equal=equal)
    wrong = pixels_of(transposed)
    assert not is_orange(*wrong, 0.95, 0.05), "this test would not notice a transposed drawing"


def test_points_and_contours_lie_where_the_field_is():
    # The boundary y = x / 3 leaves (2.4, 0.2) below and (0.6, 0.8) above.
    field = field_of(lambda x, y: y - x / 3)
    chart = FieldChart(field, "t", middle=0, contours=[0.0], points=[PointSet("p", np.array([[2.4, 0.2]]), 2)])
    image, across, down = pixels_of(chart)
    assert is_orange(image, across, down, 0.2, 0.8)
    assert not is_orange(image, across, down, 0.8, 0.1)
    column, row = round(across[0] + 0.8 * (across[1] - across[0])), round(down[1] - 0.2 * (down[1] - down[0]))
    assert "#{:02x}{:02x}{:02x}".format(*image[row, column]) == LIGHT.series[2]


def test_pixels_take_the_value_of_their_middle():
    found = sampled(field_of(lambda x, y: 10 * x + y), 6, 4)
    assert found[0] == pytest.approx(10 * (np.arange(6) + 0.5) / 2 + 0.875)
    assert found[:, 0] == pytest.approx(2.5 + np.array([0.875, 0.625, 0.375, 0.125]))


def test_a_scale_reaches_as_far_on_both_sides_of_its_middle():
    scale = Scale(low=-1, high=3, middle=1)
    assert scale.shares(np.array([-1.0, 1.0, 2.0, 3.0, 9.0])) == pytest.approx([0, 0.5, 0.75, 1, 1])
    tints = scale.tints(np.array([1.0, 3.0]))
    assert tints[0, 3] == 0
    assert "#{:02x}{:02x}{:02x}".format(*tints[1, :3]) == WRONG
    assert Scale(low=1, high=100, log=True).shares(np.array([10.0])) == pytest.approx([0.5])


def test_ten_thousand_points_stay_small_and_follow_the_theme():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 10_000)
    chart = ScatterChart(point_sets(random.normal(size=(10_000, 2)), labels, list("0123456789")), "t", named=True)
    for width in (WIDE, NARROW):
        with drawing():
            svg = as_svg(figure_sheet(chart, width, stand_ins()))
        assert len(svg) < 300_000
        drawn = re.findall(r'<path d="((?:M[\d. ]+h\.01)+)" stroke="(#fe\w{2}fd)"', svg)
        assert sum(steps.count("M") for steps, _colour in drawn) == 10_000
        assert len({colour for _steps, colour in drawn}) == 10


def test_discs_are_where_the_points_are():
    corners = np.array([[0.0, 0.0], [4.0, 2.0]])
    with drawing():
        sheet = figure_sheet(ScatterChart([PointSet("a", corners)], "t"), WIDE, LIGHT.tokens())
        svg = as_svg(sheet)
    axes = sheet.figure.axes[0]
    expected = axes.transData.transform(corners)
    found = [tuple(map(float, place)) for place in re.findall(r"M([\d.]+) ([\d.]+)h\.01", svg)]
    assert found == [(pytest.approx(x, abs=0.06), pytest.approx(sheet.height - y, abs=0.06)) for x, y in expected]


def test_a_view_from_the_front_has_x_to_the_right_and_height_upwards():
    chart = SurfaceChart(field_of(lambda x, y: x * 0 + y), "t", azimuth=0, elevation=30)
    origin, right, behind = view_of(chart).project(np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0]]))
    assert right - origin == pytest.approx([2, 0, 0])
    assert behind[0] == pytest.approx(origin[0])
    assert behind[1] > origin[1]
    assert behind[2] > origin[2]
    beside = view_of(SurfaceChart(chart.field, "t", azimuth=90, elevation=30))
    origin, along = beside.project(np.array([[0.0, 0.0], [0.0, 1.0]]), np.zeros(2))
    assert along - origin == pytest.approx([2, 0, 0])


def test_a_ridge_hides_what_is_behind_it():
    ridge = field_of(lambda x, y: np.exp(-(((y - 0.3) / 0.06) ** 2)) + 0 * x, size=(101, 31))
    view = view_of(SurfaceChart(ridge, "t", azimuth=0, elevation=50))
    low, high = view.box()[:, :2].min(axis=0), view.box()[:, :2].max(axis=0)
    to_pixels = np.array([[200.0, -200.0], [-low[0] * 200, high[1] * 200]])
    canvas = painted(view, to_pixels, (400, round(200 * (high[1] - low[1]))))
    points = view.project(np.array([[1.5, 0.05], [1.5, 0.3], [1.5, 0.45], [1.5, 0.98]]))
    places = points[:, :2] * to_pixels[0] + to_pixels[1]
    assert canvas.visible(places, points[:, 2]).tolist() == [True, True, False, True]


def test_the_first_row_of_a_heat_map_is_at_the_top():
    matrix = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    with drawing():
        sheet = figure_sheet(HeatMaps([matrix], ["a"], "t"), WIDE, LIGHT.tokens())
    pixels = sheet.figure.axes[0].images[0].get_array()
    assert (pixels[..., 3] > 0).tolist() == [[False, False, True], [False, False, False]]
    assert sheet.figure.axes[0].yaxis_inverted()


def test_a_frame_surrounds_its_part_of_a_heat_map():
    with drawing():
        plain, framed = (
            figure_sheet(HeatMaps([np.eye(4)], ["a"], "t", frames=frames), WIDE, LIGHT.tokens())
            for frames in ((), [(2, 1, 2, 3)])
        )
    (outline,) = [line for line in framed.figure.artists if getattr(line, "get_linewidth", float)() == 2.5]
    assert len(framed.figure.artists) == len(plain.figure.artists) + 1
    box = framed.figure.axes[0].get_window_extent()
    corners = framed.pixels.transform(np.stack(outline.get_data(), 1))
    shares = (corners - (box.x0, box.y0)) / (box.width, box.height)
    assert shares.min(axis=0) == pytest.approx([1 / 4, 0], abs=0.02)
    assert shares.max(axis=0) == pytest.approx([1, 1 / 2], abs=0.02)


def charts():
    field = field_of(lambda x, y: x + y**2 + 0.1)
    walk = Path("a walk", np.array([[0.5, 0.2], [2.5, 0.9], [9.0, 9.0]]), 3)
    return [
        FieldChart(field, "A field", contours=[1, 2], points=[PointSet("p", np.array([[1.0, 0.5], [7.0, 7.0]]))],
                   paths=[walk], log=True),
        SurfaceChart(field, "A surface", paths=[walk], log=True),
        ScatterChart([PointSet("p", np.array([[1.0, 0.5]]))], "Points", equal=True),
        HeatMaps([np.eye(3)] * 5, list("abcde"), "Maps", row_labels=list("xyz"), column_labels=["long label"] * 3,
                 row_name="query", column_name="key", percent=True),
        ScatterChart([], "No points"),
        HeatMaps([], [], "No maps"),
    ]  # fmt: skip


def page_with(blocks):
    empty = results([], experiment="e", command="", environment={}, seconds=0.0)
    return Page(title="T", question="Q", blocks=blocks, results=empty)


def test_every_chart_is_drawn_wide_narrow_and_alike_twice(tmp_path, outline):
    first, second = (write_report([page_with(charts())], tmp_path / name) for name in "ab")
    html = first.html.read_text(encoding="utf-8")
    found = outline(html)
    assert len(found.attributes("svg")) == 2 * 4
    assert all(drawing["aria-label"] for drawing in found.attributes("svg"))
    assert "Nothing was measured for this chart." in found.texts
    assert "#fe0" not in html
    assert not re.search(r"\b(nan|inf)\b", re.sub(r"base64,[A-Za-z0-9+/=]*", "", html), re.IGNORECASE)
    for one, other in zip((first.html, first.pdf, *first.figures), (second.html, second.pdf, *second.figures),
                          strict=True):  # fmt: skip
        assert one.read_bytes() == other.read_bytes(), one.name


def test_the_numbers_behind_a_chart_are_all_there():
    field, _surface, scatter, maps, *_ = charts()
    lines = figure_csv(field).splitlines()
    assert lines[0] == "name,x1,x2,value"
    assert lines[1] == "field,0,0,0.1"
    assert lines[2].startswith("field,0.075,0,0.17")
    assert len(lines) == 1 + 31 * 41 + 2 + 3
    assert lines[-3].startswith("a walk,0.5,0.2,0.64")
    assert lines[-1] == "a walk,9.0,9.0,"
    assert figure_csv(scatter).splitlines() == ["name,x,y", "p,1.0,0.5"]
    assert figure_csv(maps).splitlines()[:2] == ["map,row,column,value", "a,x,long label,1.0"]


def test_a_figure_as_a_picture_for_places_that_take_no_drawing():
    picture = Image.open(io.BytesIO(figure_png(charts()[0])))
    assert picture.width == WIDE


def test_drawings_hold_no_address():
    svg = compose([page_with(charts())]).figures["a-surface"].svg
    assert "http" not in svg
    assert "<image " in svg
