"""Draws a field as a heat map with contours, points and paths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from gradlab.report.dots import draw_dots
from gradlab.report.palette import series
from gradlab.report.plane import Field, Path
from gradlab.report.plane_charts import FieldChart
from gradlab.report.scales import linear_ticks, mark, tick_labels
from gradlab.report.sheet import NARROW, Entry, Sheet, key_height, text_width
from gradlab.report.tint import SURFACE_HUE, Scale, bar_room, draw_bar, place_picture

_TALLEST, _USUAL = 440.0, 380.0
_ENDS = ("o", "s", "^", "D", "v", "P")
"""Paths are told apart by the shape at their end as well as by their colour."""
Box = tuple[float, float, float, float]


def draw_field(chart: FieldChart, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of a field, `width` pixels wide."""
    field = chart.field
    low, high = chart.limits or (float(field.values.min()), float(field.values.max()))
    scale = Scale(low=low, high=high, middle=chart.middle, log=chart.log, percent=chart.percent, hue=SURFACE_HUE)
    entries = [Entry(group.name, series(group.colour), "", "o") for group in chart.points] + path_entries(chart.paths)
    top = key_height(entries, width) + 34
    left, right, bottom = _edges(chart, scale, top, width)
    sheet = Sheet(width, bottom + 52, colours)
    sheet.key(entries, 2)
    sheet.text(0, top - 20, field.y_label, "muted")
    label = field.label + (", %" if chart.percent else "")
    sheet.text(right + bar_room(scale), top - 20, label, "muted", ha="right")
    pixels = scale.tints(sampled(field, round(right - left), round(bottom - top)))
    place_picture(sheet, pixels, (left, top, right, bottom))
    axes = _axes(sheet, field, (left, top, right, bottom))
    _overlays(sheet, axes, chart)
    draw_bar(sheet, scale, right, top, bottom, chart.contours)
    return sheet


def sampled(field: Field, width: int, height: int) -> np.ndarray:
    """The field at the middles of `width` x `height` pixels, [height, width], the highest y in the first row."""
    xs = field.x[0] + (np.arange(width) + 0.5) / width * (field.x[1] - field.x[0])
    ys = field.y[1] - (np.arange(height) + 0.5) / height * (field.y[1] - field.y[0])
    across, up = np.meshgrid(xs, ys)
    return field.at(np.stack([across.ravel(), up.ravel()], axis=1)).reshape(height, width)


def inside(field: Field, points: np.ndarray) -> np.ndarray:
    """Which points [N, 2] lie in the field's rectangle, bool [N]."""
    return np.isfinite(field.at(points))


def path_entries(paths: Any) -> list[Entry]:
    """What a key says of paths."""
    return [Entry(path.name, series(path.colour), "-", _ENDS[place % len(_ENDS)]) for place, path in enumerate(paths)]


def draw_end(axes: Axes, path: Path, place: int, at: tuple[float, float], colours: Mapping[str, str]) -> None:
    """Draws the shape at a path's end."""
    style: dict[str, Any] = {"markeredgecolor": colours["paper"], "markeredgewidth": 1.2, "zorder": 7, "clip_on": False}
    shape = _ENDS[place % len(_ENDS)]
    axes.plot([at[0]], [at[1]], ls="", marker=shape, markersize=9, color=colours[series(path.colour)], **style)


def _edges(chart: FieldChart, scale: Scale, top: float, width: float) -> tuple[float, float, float]:
    """Left, right and bottom of the plot, in whole pixels."""
    field = chart.field
    labels = tick_labels(linear_ticks(*field.y), percent=False)
    left = max(map(text_width, labels), default=0.0) + 12
    wide = width - left - bar_room(scale)
    tall = _USUAL if width > NARROW else 270.0
    if chart.equal:
        ratio = (field.y[1] - field.y[0]) / (field.x[1] - field.x[0])
        tall = min(wide * ratio, _TALLEST)
        wide = min(wide, tall / ratio)
    return round(left), round(left) + round(wide), round(top) + round(tall)


def _axes(sheet: Sheet, field: Field, box: Box) -> Axes:
    left, _top, right, bottom = box
    axes = sheet.axes(*box)
    axes.set_xlim(*field.x)
    axes.set_ylim(*field.y)
    mark(axes.xaxis, *field.x, log=False, percent=False, count=7 if sheet.width > NARROW else 4)
    mark(axes.yaxis, *field.y, log=False, percent=False, count=6)
    sheet.line([left, right], [bottom, bottom], "rule", lw=1)
    sheet.text((left + right) / 2, bottom + 38, field.x_label, "muted", ha="center")
    return axes


def _overlays(sheet: Sheet, axes: Axes, chart: FieldChart) -> None:
    field, colours = chart.field, sheet.colours
    if chart.contours:
        xs, ys = field.grid()
        alpha = 0.85 if len(chart.contours) == 1 else 0.35
        axes.contour(xs, ys, field.values, levels=sorted(chart.contours), colors=colours["ink"], linewidths=1,
                     linestyles="solid", alpha=alpha)  # fmt: skip
    for group in chart.points:
        points = group.points[inside(field, group.points)]
        draw_dots(axes, points, 3.4, colours["paper"], zorder=3)
        draw_dots(axes, points, 2.5, colours[series(group.colour)], zorder=4)
    for path in chart.paths:
        along = path.points.T
        axes.plot(*along, color=colours["paper"], lw=4, alpha=0.8, zorder=5)
        axes.plot(*along, color=colours[series(path.colour)], lw=1.8, zorder=6)
        draw_dots(axes, path.points[inside(field, path.points)], 1.8, colours[series(path.colour)], zorder=6)
    for place, path in enumerate(chart.paths):
        draw_end(axes, path, place, (float(path.points[-1, 0]), float(path.points[-1, 1])), colours)
