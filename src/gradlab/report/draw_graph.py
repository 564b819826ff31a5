"""Draws a graph in layers, from the top down."""

from collections.abc import Mapping
from itertools import pairwise

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from gradlab.report.graph_chart import Arrow, Box, GraphChart
from gradlab.report.layers import THREAD, Layout, fullest, laid_out
from gradlab.report.sheet import FONT_SIZE, Sheet, clipped, clipped_inside, text_width

_USUAL, _WIDEST, _NARROWEST, _TALL, _GAP, _BETWEEN = 190.0, 330.0, 46.0, 46.0, 14.0, 46.0
_MARGIN = 10.0
"""Pixels of a box beside its text, both sides together."""
_SMALL = FONT_SIZE - 2
_EDGE = {"step": "rule", "leaf": "series-3", "unknown": "series-2", "output": "accent"}
NODE = "graph-box-{}"
"""The name of a box's outline in the drawing, by which a page finds it."""


def draw_graph(chart: GraphChart, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of at least one box, `width` pixels wide."""
    arrows = [(arrow.start, arrow.end) for arrow in chart.arrows]
    boxes, passing = fullest(len(chart.boxes), arrows)
    room = width - 4 - passing * (THREAD + _GAP) - (boxes - 1) * _GAP
    wished = max(text_width(entry.title, weight=_weight(entry)) for entry in chart.boxes) + _MARGIN
    box = max(_NARROWEST, min(max(_USUAL, wished), _WIDEST, room / max(boxes, 1)))
    layout = laid_out(len(chart.boxes), arrows, width=width - 4, box=box, gap=_GAP)
    tall = _TALL if any(entry.detail for entry in chart.boxes) else _TALL - 14
    pitch = tall + _BETWEEN
    sheet = Sheet(width, max(layout.layer) * pitch + tall + 4, colours)
    for place, arrow in enumerate(chart.arrows):
        _draw_arrow(sheet, arrow, layout, layout.bends[place], (tall, pitch, box))
    for place, entry in enumerate(chart.boxes):
        x, top = layout.x[place] + 2, layout.layer[place] * pitch + 2
        _draw_outline(sheet, (x - box / 2, top, box, tall), entry.kind, NODE.format(place))
        middle = top + tall / 2
        title = clipped_inside(entry.title, box - _MARGIN, weight=_weight(entry))
        sheet.text(x, middle - (8 if entry.detail else 0), title, "ink", ha="center")
        if entry.detail:
            detail = clipped(entry.detail, box - _MARGIN, _SMALL)
            sheet.text(x, middle + 10, detail, "muted", ha="center", fontsize=_SMALL)
    return sheet


def _weight(entry: Box) -> str:
    return "bold" if entry.kind == "output" else "normal"


def _draw_outline(sheet: Sheet, place: tuple[float, float, float, float], kind: str, name: str) -> None:
    left, top, wide, tall = place
    style = "round,pad=0,rounding_size=" + ("14" if kind == "leaf" else "5")
    outline = FancyBboxPatch(
        (left, top),
        wide,
        tall,
        boxstyle=style,
        transform=sheet.pixels,
        facecolor=sheet.colours["raised"],
        edgecolor=sheet.colours[_EDGE[kind]],
        linewidth=2.0 if kind == "output" else 1.3,
        linestyle="--" if kind == "unknown" else "-",
        zorder=2,
    )
    outline.set_gid(name)
    sheet.figure.add_artist(outline)


def _draw_arrow(
    sheet: Sheet, arrow: Arrow, layout: Layout, bends: tuple[float, ...], sizes: tuple[float, float, float]
) -> None:
    tall, pitch, box = sizes
    first = layout.layer[arrow.start]
    points = [(layout.x[arrow.start] + 2, first * pitch + tall + 2)]
    for step, x in enumerate(bends, start=1):
        points += [(x + 2, (first + step) * pitch + 2), (x + 2, (first + step) * pitch + tall + 2)]
    points.append((layout.x[arrow.end] + 2, layout.layer[arrow.end] * pitch + 1))
    vertices, codes = _smooth(points)
    sheet.figure.add_artist(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-|>",
            mutation_scale=9,
            transform=sheet.pixels,
            color=sheet.colours["rule"],
            linewidth=1.1,
            shrinkA=0,
            shrinkB=0,
            zorder=1,
        )
    )
    if arrow.label:
        _write_label(sheet, clipped(arrow.label, max(box, 60), _SMALL), points[-2][0], points[-1])


def _write_label(sheet: Sheet, text: str, start: float, tip: tuple[float, float]) -> None:
    """Beside the arrow's tip, where it goes straight down, on the side that it does not come from."""
    x, y = tip
    leftwards = start > x + 1 and x - 7 - text_width(text, _SMALL) > 0
    side = {"x": x - 7, "ha": "right"} if leftwards else {"x": x + 7, "ha": "left"}
    sheet.text(y=y - 14, text=text, colour="muted", fontsize=_SMALL, **side)


def _smooth(points: list[tuple[float, float]]) -> tuple[list[tuple[float, float]], list[int]]:
    """A path through points whose slanted parts leave and arrive downwards."""
    vertices, codes = [points[0]], [int(Path.MOVETO)]
    for (x, y), (end, bottom) in pairwise(points):
        if abs(x - end) < 0.5:
            vertices.append((end, bottom))
            codes.append(int(Path.LINETO))
        else:
            middle = (y + bottom) / 2
            vertices += [(x, middle), (end, middle), (end, bottom)]
            codes += [int(Path.CURVE4)] * 3
    return vertices, codes
