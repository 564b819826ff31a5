"""Draws a confusion matrix: what is right in blue, mistakes in orange, each as strong as its share of the class."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from gradlab.report.blocks import ConfusionMatrix
from gradlab.report.palette import RIGHT, STRONGEST_FILL, WRONG
from gradlab.report.sheet import NARROW, Sheet, clipped, text_width

MOST_NUMBERED = 20
"""Up to so many classes the counts are written into the cells."""
_LONGEST_NAME = 110.0


def draw_matrix(matrix: ConfusionMatrix, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of a confusion matrix, `width` pixels wide."""
    size = len(matrix.classes)
    numbered = size <= MOST_NUMBERED
    names = [clipped(str(name), _LONGEST_NAME if width > NARROW else 60, _name_size(size)) for name in matrix.classes]
    longest = max(text_width(name, _name_size(size)) for name in names) if numbered else 24.0
    left = longest + 32
    side = min(width - left - 4, 520.0 if not numbered else max(300.0, min(560.0, 52.0 * size)))
    slanted = numbered and longest > side / size - 4
    top = (longest if slanted else 14) + 36
    sheet = Sheet(width, top + side + 8, colours)
    axes = sheet.axes(left, top, left + side, top + side)
    axes.set_xlim(0, size)
    axes.set_ylim(size, 0)
    if numbered:
        _cells(sheet, axes, matrix, side / size)
    else:
        axes.imshow(fills(matrix.counts, 0.95), extent=(0, size, size, 0), interpolation="nearest", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    _frame(sheet, (left, top, side))
    _names(sheet, names, (left, top, side), numbered=numbered, slanted=slanted)
    return sheet


def fills(counts: np.ndarray, strongest: float = STRONGEST_FILL) -> np.ndarray:
    """The cells' colours as RGBA in [0, 1]: hue for right and wrong, opacity for the share of the true class.

    Mistakes have a scale of their own, by the square root of their share: next to 980 right ones, 12 would not show.
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    diagonal = np.eye(len(counts), dtype=bool)
    mistakes = np.sqrt(np.where(diagonal, 0, shares))
    opacity = np.where(diagonal, shares, mistakes / max(mistakes.max(), 0.1)) * strongest
    colours = np.empty((*counts.shape, 4))
    colours[..., :3] = np.where(diagonal[..., None], to_rgb(RIGHT), to_rgb(WRONG))
    colours[..., 3] = opacity
    return colours


def _cells(sheet: Sheet, axes: Axes, matrix: ConfusionMatrix, side: float) -> None:
    colours = fills(matrix.counts)
    most = f"{matrix.counts.max():g}"
    size = min(12.0, 12.0 * (side - 6) / max(text_width(most), 1.0))
    for (i, j), count in np.ndenumerate(matrix.counts):
        if count > 0:
            axes.add_patch(Rectangle((j, i), 1, 1, facecolor=tuple(colours[i, j]), linewidth=0))
            style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size, "color": sheet.colours["ink"]}
            axes.text(j + 0.5, i + 0.5, f"{count:g}", parse_math=False, **style)


def _frame(sheet: Sheet, box: tuple[float, float, float]) -> None:
    left, top, side = box
    xs, ys = [left, left + side, left + side, left, left], [top, top, top + side, top + side, top]
    sheet.line(xs, ys, "rule", lw=1)


def _names(sheet: Sheet, names: list[str], box: tuple[float, float, float], *, numbered: bool, slanted: bool) -> None:
    left, top, side = box
    step = side / len(names)
    size = _name_size(len(names))
    for place, name in enumerate(names):
        middle = step * (place + 0.5)
        # A hundred names do not fit; every tenth class is told by its number instead.
        if numbered or place % 10 == 0:
            text = name if numbered else str(place)
            turned: dict[str, Any] = {"rotation": 90, "va": "bottom"} if slanted else {}
            sheet.text(left + middle, top - (7 if slanted else 12), text, "muted", ha="center", fontsize=size, **turned)
            sheet.text(left - 8, top + middle, text, "muted", ha="right", fontsize=size)
    sheet.text(left + side / 2, 10, "taken for", "ink", ha="center")
    sheet.text(10, top + side / 2, "true class", "ink", ha="center", rotation=90)


def _name_size(classes: int) -> float:
    return 12.0 if classes <= 12 else 10.0
