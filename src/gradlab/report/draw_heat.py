"""Draws a row of small matrices on one colour scale."""

from collections.abc import Mapping, Sequence

import numpy as np

from gradlab.report.palette import series
from gradlab.report.plane_charts import HeatMaps
from gradlab.report.sheet import FONT_SIZE, NARROW, Sheet, clipped, text_width
from gradlab.report.tint import Scale, bar_room, draw_bar, place_picture

_LARGEST_CELL, _LARGEST_MAP, _SMALLEST_MAP, _GAP = 34.0, 260.0, 110.0, 22.0
_LONGEST_LABEL, _TOP = 70.0, 44.0
_SMALL = FONT_SIZE - 1.5


def draw_heat(maps: HeatMaps, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of at least one heat map, `width` pixels wide, in as many rows as they take."""
    scale = _scale(maps)
    left = max((text_width(clipped(name, _LONGEST_LABEL, _SMALL), _SMALL) for name in maps.row_labels), default=0.0)
    left += (10 if maps.row_labels else 0) + (20 if maps.row_name else 0)
    columns, wide = _layout(maps, width - left - bar_room(scale))
    rows, steps = maps.matrices[0].shape
    tall = wide * rows / steps
    turned = _turned(maps.column_labels, wide / steps)
    below = _below(maps, turned=turned)
    pitch = _TOP + tall + below
    sheet = Sheet(width, pitch * -(-len(maps.matrices) // columns), colours)
    for place, (matrix, name) in enumerate(zip(maps.matrices, maps.names, strict=True)):
        x, y = left + (wide + _GAP) * (place % columns), _TOP + pitch * (place // columns)
        place_picture(sheet, scale.tints(matrix), (x, y, x + wide, y + tall))
        sheet.line([x, x + wide, x + wide, x, x], [y, y, y + tall, y + tall, y], "rule", lw=0.7)
        if maps.frames:
            _frame(sheet, maps.frames[place], (x, y), wide / steps)
        sheet.text(x + wide / 2, y - 13, clipped(name, wide + _GAP - 6), "ink", ha="center")
        _column_labels(sheet, maps, (x, y + tall, wide), turned=turned)
        if place % columns == 0:
            _row_labels(sheet, maps, (left, y, tall))
    shown = min(columns, len(maps.matrices))
    label = maps.label + (", %" if maps.percent else "")
    right = left + (wide + _GAP) * shown - _GAP
    draw_bar(sheet, scale, right, _TOP, _TOP + tall)
    sheet.text(right + bar_room(scale), 10, label, "muted", ha="right")
    return sheet


def _scale(maps: HeatMaps) -> Scale:
    numbers = np.concatenate([matrix.ravel() for matrix in maps.matrices])
    low, high = maps.limits or (float(numbers.min()), float(numbers.max()))
    if low == high:
        low, high = low - 0.5, high + 0.5
    return Scale(low=low, high=high, percent=maps.percent)


def _layout(maps: HeatMaps, room: float) -> tuple[int, float]:
    """How many maps stand side by side, and how wide each is."""
    rows, steps = maps.matrices[0].shape
    largest = min(_LARGEST_MAP, _LARGEST_CELL * steps, _LARGEST_CELL * rows * steps / rows)
    smallest = min(_SMALLEST_MAP, largest)
    columns = max(1, min(len(maps.matrices), int((room + _GAP) // (smallest + _GAP))))
    return columns, min(largest, (room + _GAP) / columns - _GAP)


def _frame(sheet: Sheet, part: tuple[int, int, int, int], corner: tuple[float, float], step: float) -> None:
    """An outline of the part, drawn inside it so that neighbours keep their colours."""
    row, column, height, width = part
    left, top = corner[0] + column * step + 1, corner[1] + row * step + 1
    right, bottom = left + width * step - 2, top + height * step - 2
    sheet.line([left, right, right, left, left], [top, top, bottom, bottom, top], series(1), lw=2.5)


def _turned(labels: Sequence[str], step: float) -> bool:
    return any(text_width(label, _SMALL) > step - 3 for label in labels)


def _below(maps: HeatMaps, *, turned: bool) -> float:
    """Pixels below a map: its column labels, their name, and a gap to the next row of maps."""
    longest = max((text_width(clipped(name, _LONGEST_LABEL, _SMALL), _SMALL) for name in maps.column_labels), default=0)
    labels = 0.0 if not maps.column_labels else longest + 8 if turned else 18.0
    return labels + (20 if maps.column_name else 0) + 12


def _column_labels(sheet: Sheet, maps: HeatMaps, under: tuple[float, float, float], *, turned: bool) -> None:
    x, y, wide = under
    step = wide / maps.matrices[0].shape[1]
    # Where cells are narrower than a line of text is tall, only every so many can be named.
    every = max(1, int(np.ceil(13 / step)))
    for place, name in list(enumerate(maps.column_labels))[::every]:
        style = {"rotation": 90, "va": "top"} if turned else {"va": "center"}
        text = clipped(name, _LONGEST_LABEL, _SMALL)
        sheet.text(x + step * (place + 0.5), y + (5 if turned else 11), text, "muted", ha="center", fontsize=_SMALL,
                   **style)  # fmt: skip
    if maps.column_name:
        sheet.text(x + wide / 2, y + _below(maps, turned=turned) - 20, maps.column_name, "muted", ha="center")


def _row_labels(sheet: Sheet, maps: HeatMaps, beside: tuple[float, float, float]) -> None:
    x, y, tall = beside
    step = tall / maps.matrices[0].shape[0]
    every = max(1, int(np.ceil(13 / step)))
    for place, name in list(enumerate(maps.row_labels))[::every]:
        text = clipped(name, _LONGEST_LABEL, _SMALL)
        sheet.text(x - 7, y + step * (place + 0.5), text, "muted", ha="right", fontsize=_SMALL)
    if maps.row_name:
        sheet.text(9 if sheet.width > NARROW else 7, y + tall / 2, maps.row_name, "muted", ha="center", rotation=90)
