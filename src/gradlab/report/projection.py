"""A field's surface seen from above and aside: where its points lie on the picture, and which of them it hides."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from gradlab.report.plane import Field
from gradlab.report.plane_charts import SurfaceChart
from gradlab.report.tint import SURFACE_HUE, Scale

_HEIGHT = 1.0
"""Of the surface's highest point over its lowest; the ground is a square of side 2."""
_CELLS = 84
_FINE = 4
"""Picture dots a pixel while drawing; half of them are left when it is done, which smooths the edges."""
_TOUCHING = 0.06
"""How far behind the drawn surface a point may lie and still be on it: about the depth of a cell."""


@dataclass(frozen=True, slots=True)
class View:
    """The parallel projection of a chart's space; lengths along its three axes are scaled to a block of one size."""

    field: Field
    azimuth: float
    elevation: float
    log: bool

    def project(self, points: np.ndarray, heights: np.ndarray | None = None) -> np.ndarray:
        """Points [N, 2] of the plane as [N, 3]: to the right, upwards, and away from the eye.

        `heights` are values [N]; None lifts the points onto the surface. Outside the rectangle nothing is a number.
        """
        values = self.field.at(points) if heights is None else heights
        spans = np.array([self.field.x, self.field.y], float)
        x, y = ((np.asarray(points, float) - spans[:, 0]) / (spans[:, 1] - spans[:, 0]) * 2 - 1).T
        z = self.scale().shares(values) * _HEIGHT
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        across, away = x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)
        up = z * math.cos(e) + away * math.sin(e)
        return np.stack([across, up, away * math.cos(e) - z * math.sin(e)], axis=1)

    def scale(self) -> Scale:
        """The scale of heights and tints."""
        low, high = float(self.field.values.min()), float(self.field.values.max())
        return Scale(low=low, high=high, log=self.log, hue=SURFACE_HUE)

    def box(self) -> np.ndarray:
        """The projected corners of the block [8, 3]: the ground's four, then those above them."""
        (x0, x1), (y0, y1), scale = self.field.x, self.field.y, self.scale()
        ground = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        return np.concatenate([self.project(ground, np.full(4, height)) for height in (scale.low, scale.high)])


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture of the surface and what hides what on it.

    `pixels` is RGBA [2 height, 2 width, 4], two dots a pixel; `depth` how far away the surface is at each dot of a
    finer grid, infinite where there is none.
    """

    pixels: np.ndarray
    depth: np.ndarray

    def visible(self, places: np.ndarray, away: np.ndarray) -> np.ndarray:
        """Whether points at places [N, 2] in pixels from the picture's top left corner lie before the surface."""
        rows, columns = self.depth.shape
        known = np.all(np.isfinite(places), axis=1)
        at = np.clip(np.where(known[:, None], places, 0) * _FINE, 0, [columns - 1, rows - 1]).astype(int)
        return known & (away <= self.depth[at[:, 1], at[:, 0]] + _TOUCHING)


def view_of(chart: SurfaceChart) -> View:
    """The projection that a chart asks for."""
    return View(chart.field, chart.azimuth, chart.elevation, chart.log)


def painted(view: View, to_pixels: np.ndarray, size: tuple[int, int]) -> Canvas:
    """Paints the surface, the furthest cells first.

    Args:
        view: the projection.
        to_pixels: [2, 2], pixels from the top left corner as scale times projected place plus shift, a row each.
        size: width and height in pixels.
    """
    corners = _corners(view)
    places = (corners[..., :2] * to_pixels[0] + to_pixels[1]) * _FINE
    quads = np.stack([places[:-1, :-1], places[:-1, 1:], places[1:, 1:], places[1:, :-1]], axis=2).reshape(-1, 8)
    away = corners[..., 2]
    depths = ((away[:-1, :-1] + away[:-1, 1:] + away[1:, 1:] + away[1:, :-1]) / 4).ravel()
    strengths = _strengths(view)
    shape = (size[0] * _FINE, size[1] * _FINE)
    tint, depth = Image.new("L", shape, 0), Image.new("F", shape, math.inf)
    on_tint, on_depth = ImageDraw.Draw(tint), ImageDraw.Draw(depth)
    for cell in np.argsort(-depths, kind="stable"):
        polygon = quads[cell].tolist()
        on_tint.polygon(polygon, fill=int(strengths[cell]))
        on_depth.polygon(polygon, fill=float(depths[cell]))
    opacity = np.asarray(tint.reduce(_FINE // 2))
    pixels = view.scale().tints(np.full(opacity.shape, view.scale().high))
    pixels[..., 3] = opacity
    return Canvas(pixels, np.asarray(depth))


def _grid(view: View) -> np.ndarray:
    """The corners of the cells in the plane, [cells + 1, cells + 1, 2]."""
    xs, ys = (np.linspace(*ends, _CELLS + 1) for ends in (view.field.x, view.field.y))
    return np.stack(np.meshgrid(xs, ys), axis=2)


def _corners(view: View) -> np.ndarray:
    return view.project(_grid(view).reshape(-1, 2)).reshape(_CELLS + 1, _CELLS + 1, 3)


def _strengths(view: View) -> np.ndarray:
    """How opaque each cell is, 0 to 255: by its height, and a little more or less by the way it faces."""
    grid = _grid(view)
    shares = view.scale().shares(view.field.at(grid.reshape(-1, 2))).reshape(grid.shape[:2])
    rise_y, rise_x = np.gradient(shares * _HEIGHT, 2 / _CELLS)
    # Light comes from the upper left of the picture, from where most drawings are lit.
    a = math.radians(view.azimuth)
    light = rise_x * -math.cos(a) + rise_y * -math.sin(a)
    shade = np.tanh(light) * 0.14
    strength = np.clip(0.16 + 0.5 * shares - shade, 0.05, 0.9)
    cells = (strength[:-1, :-1] + strength[:-1, 1:] + strength[1:, 1:] + strength[1:, :-1]) / 4
    return np.round(255 * cells).ravel()
