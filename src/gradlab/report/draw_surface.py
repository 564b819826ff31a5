"""Draws a field as a surface with paths on it."""

import itertools
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from gradlab.report.dots import draw_dots
from gradlab.report.draw_field import draw_end, path_entries
from gradlab.report.palette import series
from gradlab.report.plane import Path
from gradlab.report.plane_charts import SurfaceChart
from gradlab.report.projection import Canvas, View, painted, view_of
from gradlab.report.scales import linear_ticks, tick_labels
from gradlab.report.sheet import FONT_SIZE, NARROW, Sheet, key_height
from gradlab.report.tint import place_picture

_LINES = 11
"""Lines of the net over the surface in each direction."""


class _Space:
    """A sheet with a surface painted on it, and axes that are in projected lengths."""

    def __init__(self, chart: SurfaceChart, width: float, colours: Mapping[str, str]) -> None:
        self.chart, self.view = chart, view_of(chart)
        entries = path_entries(chart.paths)
        top = round(key_height(entries, width) + 22)
        box = self.view.box()
        low, high = box[:, :2].min(axis=0), box[:, :2].max(axis=0)
        left, right = (58, width - 34) if width > NARROW else (46, width - 16)
        scale = (right - left) / (high[0] - low[0])
        size = (round(right - left), round(scale * (high[1] - low[1])))
        self.sheet = Sheet(width, top + size[1] + 58, colours)
        self.sheet.key(entries, 2)
        edges = (left, top, left + size[0], top + size[1])
        to_pixels = np.array([[scale, -scale], [-low[0] * scale, high[1] * scale]])
        self._to_pixels, self._origin = to_pixels, np.array([left, top])
        self.canvas: Canvas = painted(self.view, to_pixels, size)
        place_picture(self.sheet, self.canvas.pixels, edges)
        self.axes: Axes = self.sheet.axes(*edges)
        self.axes.set_xlim(0, size[0])
        self.axes.set_ylim(size[1], 0)
        self.axes.set_axis_off()

    def places(self, projected: np.ndarray) -> np.ndarray:
        """Projected points as pixels from the picture's top left corner."""
        return projected[:, :2] * self._to_pixels[0] + self._to_pixels[1]

    def on_sheet(self, projected: np.ndarray) -> np.ndarray:
        """Projected points as pixels of the sheet."""
        return self.places(projected) + self._origin

    def seen(self, projected: np.ndarray) -> np.ndarray:
        """Projected points as pixels of the picture; not a number where the surface hides them."""
        places = self.places(projected)
        return np.where(self.canvas.visible(places, projected[:, 2])[:, None], places, np.nan)


def draw_surface(chart: SurfaceChart, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of a surface, `width` pixels wide."""
    space = _Space(chart, width, colours)
    _draw_ground(space)
    _draw_net(space)
    _draw_marks(space)
    for path in chart.paths:
        _draw_path(space, path)
    for place, path in enumerate(chart.paths):
        end = space.view.project(path.points[-1:])
        at = space.places(end)
        if space.canvas.visible(at, end[:, 2])[0]:
            draw_end(space.axes, path, place, (float(at[0, 0]), float(at[0, 1])), colours)
    return space.sheet


def _draw_ground(space: _Space) -> None:
    """The frame of the ground, as far as the surface above leaves it in sight."""
    corners = space.view.box()[[0, 1, 2, 3, 0]]
    shares = np.linspace(0, 1, 200)[:, None]
    for first, second in itertools.pairwise(corners):
        line = space.seen(first + shares * (second - first))
        space.axes.plot(*line.T, color=space.sheet.colours["rule"], lw=0.8, clip_on=False)


def _draw_net(space: _Space) -> None:
    """Thin lines over the surface, which show its shape where the tint alone would not."""
    field = space.chart.field
    for at in np.linspace(0, 1, _LINES):
        for along in (0, 1):
            fixed, free = (field.x, field.y) if along else (field.y, field.x)
            other, line = np.full(120, fixed[0] + at * (fixed[1] - fixed[0])), np.linspace(*free, 120)
            points = np.stack([other, line] if along else [line, other], axis=1)
            space.axes.plot(
                *space.seen(space.view.project(points)).T, color=space.sheet.colours["ink"], lw=0.6, alpha=0.28
            )


def _draw_path(space: _Space, path: Path) -> None:
    colour, paper = space.sheet.colours[series(path.colour)], space.sheet.colours["paper"]
    dense = space.view.project(_dense(path.points, space.view))
    seen, steps = space.seen(dense), space.seen(space.view.project(path.points))
    whole = space.places(dense)
    space.axes.plot(*whole.T, color=colour, lw=1, ls=(0, (1, 2.5)), alpha=0.7, zorder=4)
    space.axes.plot(*seen.T, color=paper, lw=3.6, alpha=0.8, zorder=5)
    space.axes.plot(*seen.T, color=colour, lw=1.8, zorder=6)
    known = steps[np.isfinite(steps).all(axis=1)]
    draw_dots(space.axes, known, 1.8, colour, zorder=6)


def _dense(points: np.ndarray, view: View) -> np.ndarray:
    """A path with so many points in each step that it follows the surface."""
    spans = np.array([view.field.x[1] - view.field.x[0], view.field.y[1] - view.field.y[0]])
    parts = [points[:1]]
    for first, second in itertools.pairwise(points):
        count = max(1, int(np.ceil(np.abs((second - first) / spans).max() / 0.01)))
        shares = np.arange(1, count + 1)[:, None] / count
        parts.append(first + shares * (second - first))
    return np.concatenate(parts)


def _draw_marks(space: _Space) -> None:
    """Marks and labels along the two near edges of the ground and along the left edge of the block."""
    field, sheet, view = space.chart.field, space.sheet, space.view
    a = np.radians(space.chart.azimuth)
    near_y, near_x = field.y[0 if np.cos(a) > 0 else 1], field.x[1 if np.sin(a) > 0 else 0]
    count = 5 if sheet.width > NARROW else 3
    middle = space.on_sheet(view.box()[:4].mean(axis=0, keepdims=True))[0]
    for ends, axis, label in ((field.x, 0, field.x_label), (field.y, 1, field.y_label)):
        ticks = linear_ticks(*ends, count=count)
        fixed = np.full(len(ticks) + 1, near_y if axis == 0 else near_x)
        free = np.array([*ticks, sum(ends) / 2])
        points = np.stack([free, fixed] if axis == 0 else [fixed, free], axis=1)
        places = space.on_sheet(view.project(points, np.full(len(points), view.scale().low)))
        side = 1 if places[-1, 0] > middle[0] else -1
        for (x, y), text in zip(places[:-1], tick_labels(ticks, percent=False), strict=True):
            sheet.line([x, x + 3 * side], [y, y + 4], "rule", lw=0.8)
            sheet.text(x + 6 * side, y + 11, text, "muted", ha="left" if side > 0 else "right", fontsize=FONT_SIZE - 1)
        x, y = places[-1]
        sheet.text(x + 34 * side, y + 32, label, "muted", ha="left" if side > 0 else "right")
    _draw_heights(space)


def _draw_heights(space: _Space) -> None:
    sheet, view, scale = space.sheet, space.view, space.view.scale()
    ground = view.box()[:4]
    corner = int(ground[:, 0].argmin())
    (x0, x1), (y0, y1) = space.chart.field.x, space.chart.field.y
    foot = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)][corner])
    ticks, labels = scale.marks()
    heights = np.array([scale.low, scale.high, *ticks])
    places = space.on_sheet(view.project(np.tile(foot, (len(heights), 1)), heights))
    sheet.line(list(places[:2, 0]), list(places[:2, 1]), "rule", lw=0.8)
    for (x, y), text in zip(places[2:], labels, strict=True):
        sheet.line([x - 4, x], [y, y], "rule", lw=0.8)
        sheet.text(x - 7, y, text, "muted", ha="right", fontsize=FONT_SIZE - 1)
    sheet.text(0, places[1, 1] - 14, space.chart.field.label, "muted")
