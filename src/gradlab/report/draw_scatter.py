"""Draws points in the plane, a colour for each set."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from gradlab.report.dots import draw_dots
from gradlab.report.palette import series
from gradlab.report.plane_charts import ScatterChart
from gradlab.report.scales import linear_ticks, mark, padded, tick_labels
from gradlab.report.sheet import NARROW, Entry, Sheet, key_height, text_width

_TALLEST, _USUAL = 520.0, 400.0


def draw_scatter(chart: ScatterChart, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of a scatter chart that has at least one point, `width` pixels wide."""
    entries = [Entry(group.name, series(group.colour), "", "o") for group in chart.points]
    entries = entries if len(entries) > 1 and not chart.named else []
    top = key_height(entries, width) + 34
    points = np.concatenate([group.points for group in chart.points])
    spans = [padded(map(float, column), log=False) for column in points.T]
    left = max(map(text_width, tick_labels(linear_ticks(*spans[1]), percent=False)), default=0.0) + 12
    wide, tall = width - left - 8, _USUAL if width > NARROW else 290.0
    if chart.equal:
        ratio = (spans[1][1] - spans[1][0]) / (spans[0][1] - spans[0][0])
        tall = min(wide * ratio, _TALLEST)
        wide = min(wide, tall / ratio)
    sheet = Sheet(width, top + tall + 52, colours)
    sheet.key(entries, 2)
    sheet.text(0, top - 20, chart.y_label, "muted")
    axes = _axes(sheet, chart, spans, (left, top, left + wide, top + tall))
    radius = 3.2 if len(points) < 500 else 2.2 if len(points) < 3000 else 1.4
    for group in chart.points:
        draw_dots(axes, group.points, radius, colours[series(group.colour)], zorder=3)
    if chart.named:
        _name_sets(sheet, axes, chart)
    return sheet


def _axes(
    sheet: Sheet, chart: ScatterChart, spans: list[tuple[float, float]], box: tuple[float, float, float, float]
) -> Axes:
    left, _top, right, bottom = box
    axes = sheet.axes(*box)
    axes.set_xlim(*spans[0])
    axes.set_ylim(*spans[1])
    mark(axes.xaxis, *spans[0], log=False, percent=False, count=7 if sheet.width > NARROW else 4)
    mark(axes.yaxis, *spans[1], log=False, percent=False, count=6)
    axes.grid(visible=True, color=sheet.colours["grid"], linewidth=1)
    axes.set_axisbelow(True)
    sheet.line([left, right], [bottom, bottom], "rule", lw=1)
    sheet.text((left + right) / 2, bottom + 38, chart.x_label, "muted", ha="center")
    return axes


def _name_sets(sheet: Sheet, axes: Axes, chart: ScatterChart) -> None:
    """Writes each set's name at the median of its points, on a rim of paper."""
    rim = withStroke(linewidth=4, foreground=sheet.colours["paper"])
    for group in chart.points:
        x, y = np.median(group.points, axis=0)
        colour = sheet.colours[series(group.colour)]
        axes.text(x, y, group.name, color=colour, weight="bold", fontsize=15, ha="center", va="center", zorder=8,
                  parse_math=False, path_effects=[rim])  # fmt: skip
