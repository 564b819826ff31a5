"""Draws a chart of labelled points with intervals."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from gradlab.report.blocks import Point, PointChart
from gradlab.report.scales import mark, padded
from gradlab.report.sheet import NARROW, Entry, Sheet, clipped, key_height, text_width
from gradlab.report.wording import interval_text

_ROW, _TALL_ROW = 34.0, 54.0
_LONGEST_LABEL = 240.0


def draw_points(chart: PointChart, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of a point chart that has at least one point, `width` pixels wide.

    On a narrow sheet the labels and numbers stand above the points instead of beside them.
    """
    beside = width > NARROW
    row = _ROW if beside else _TALL_ROW
    told = [interval_text(point.value, point.low, point.high, percent=chart.percent) for point in chart.points]
    left = min(_LONGEST_LABEL, max(text_width(point.label) for point in chart.points)) + 16 if beside else 8.0
    right = width - (max(map(text_width, told)) + 16 if beside else 8.0)
    entries = _entries(chart)
    top = key_height(entries, width) + 8
    bottom = top + row * len(chart.points) + 4
    sheet = Sheet(width, bottom + 52, colours)
    sheet.key(entries, 2)
    axes = _plot(sheet, chart, (left, top, right, bottom))
    for place, (point, text) in enumerate(zip(chart.points, told, strict=True)):
        y = top + row * (place + 0.5)
        _draw(sheet, axes, point, y + (0 if beside else 10))
        words = y if beside else y - 10
        sheet.text(0, words, clipped(point.label, _LONGEST_LABEL), "ink")
        sheet.text(width, words, text, "ink" if beside else "muted", ha="right")
    return sheet


def _entries(chart: PointChart) -> list[Entry]:
    interval = any(point.low is not None for point in chart.points)
    entries = [Entry(chart.name + (", 95 % interval" if interval else ""), "series-1", "-" if interval else "", "o")]
    if any(point.reference is not None for point in chart.points):
        entries.append(Entry(chart.reference_name, "series-2", "", "D", filled=False))
    return entries if interval or len(entries) > 1 else []


def _plot(sheet: Sheet, chart: PointChart, box: tuple[float, float, float, float]) -> Axes:
    left, top, right, bottom = box
    axes = sheet.axes(left, top, right, bottom)
    if chart.log_x:
        axes.set_xscale("log")
    ends = [end for point in chart.points for end in (point.value, point.low, point.high, point.reference)]
    low, high = padded([end for end in ends if end is not None and not (chart.log_x and end <= 0)], log=chart.log_x)
    axes.set_xlim(low, high)
    # The rows are placed in pixels from the top, as everything else on the sheet.
    axes.set_ylim(bottom, top)
    axes.set_yticks([])
    mark(axes.xaxis, low, high, log=chart.log_x, percent=chart.percent, count=6 if sheet.width > NARROW else 4)
    axes.grid(visible=True, axis="x", color=sheet.colours["grid"], linewidth=1)
    axes.set_axisbelow(True)
    sheet.line([left, right], [bottom, bottom], "rule", lw=1)
    label = chart.x_label + (", %" if chart.percent else "")
    sheet.text((left + right) / 2, bottom + 38, label, "muted", ha="center")
    return axes


def _draw(sheet: Sheet, axes: Axes, point: Point, y: float) -> None:
    ours, theirs = sheet.colours["series-1"], sheet.colours["series-2"]
    if point.low is not None and point.high is not None:
        axes.plot([point.low, point.high], [y, y], color=ours, lw=2.4, solid_capstyle="round", alpha=0.75)
    axes.plot([point.value], [y], marker="o", markersize=8, color=ours)
    if point.reference is not None:
        style: dict[str, Any] = {
            "markersize": 8,
            "markerfacecolor": "none",
            "markeredgewidth": 1.8,
            "markeredgecolor": theirs,
        }
        axes.plot([point.reference], [y], marker="D", zorder=4, **style)
