"""What can be done with any figure: draw it, write its numbers, tell whether there is anything in it."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradlab.report.blocks import ConfusionMatrix, Figure, LineChart, Pictures, PointChart
from gradlab.report.draw_field import draw_field
from gradlab.report.draw_graph import draw_graph
from gradlab.report.draw_heat import draw_heat
from gradlab.report.draw_lines import draw_lines
from gradlab.report.draw_matrix import draw_matrix
from gradlab.report.draw_pictures import draw_pictures
from gradlab.report.draw_points import draw_points
from gradlab.report.draw_scatter import draw_scatter
from gradlab.report.draw_surface import draw_surface
from gradlab.report.graph_chart import GraphChart
from gradlab.report.plane_charts import FieldChart, HeatMaps, ScatterChart, SurfaceChart
from gradlab.report.sheet import Sheet

_DRAWN_BY: dict[type, Any] = {
    LineChart: draw_lines,
    PointChart: draw_points,
    ConfusionMatrix: draw_matrix,
    Pictures: draw_pictures,
    FieldChart: draw_field,
    SurfaceChart: draw_surface,
    ScatterChart: draw_scatter,
    HeatMaps: draw_heat,
    GraphChart: draw_graph,
}
Cells = list[object]


def figure_sheet(block: Figure, width: float, colours: Mapping[str, str]) -> Sheet:
    """The drawing of a figure that is not empty, `width` pixels wide."""
    return _DRAWN_BY[type(block)](block, width, colours)


def is_empty(block: Figure) -> bool:
    """Whether a figure has nothing to show."""
    if isinstance(block, LineChart):
        return not block.lines
    if isinstance(block, PointChart):
        return not block.points
    if isinstance(block, GraphChart):
        return not block.boxes
    if isinstance(block, ScatterChart):
        return not any(len(group.points) for group in block.points)
    return isinstance(block, HeatMaps) and not len(block.matrices)


def figure_csv(block: Figure) -> str:
    """The numbers behind a figure as CSV, each with all its digits."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(_lines(block))
    return buffer.getvalue()


def _lines(block: Figure) -> Iterator[Cells]:
    if isinstance(block, LineChart):
        names = list(dict.fromkeys(name for line in block.lines for name, _ in line.seeds))
        yield [*block.columns, "low", "high", "n", *(f"seed {name}" for name in names)]
        for line in block.lines:
            seeds = [dict(line.seeds).get(name, [None] * len(line.x)) for name in names]
            for point in zip(line.x, line.mean, line.low, line.high, line.n, *seeds, strict=True):
                yield [line.name, line.style, *point]
    elif isinstance(block, PointChart):
        yield ["label", "value", "low", "high", "n", "reference"]
        yield from ([p.label, p.value, p.low, p.high, p.n, p.reference] for p in block.points)
    elif isinstance(block, ConfusionMatrix):
        yield ["true class", *block.classes]
        yield from ([name, *counts] for name, counts in zip(block.classes, block.counts.tolist(), strict=True))
    elif isinstance(block, Pictures):
        yield ["picture", "caption", *(["file"] if block.files else [])]
        for place, caption in enumerate(block.captions):
            yield [place, caption, *block.files[place : place + 1]]
    elif isinstance(block, GraphChart):
        yield ["from", "to", "label"]
        for arrow in block.arrows:
            yield [block.boxes[arrow.start].title, block.boxes[arrow.end].title, arrow.label]
    else:
        yield from _lines_of_plane(block)


def _lines_of_plane(block: FieldChart | SurfaceChart | ScatterChart | HeatMaps) -> Iterator[Cells]:
    if isinstance(block, HeatMaps):
        yield ["map", "row", "column", block.label]
        for name, matrix in zip(block.names, block.matrices, strict=True):
            for (row, column), value in np.ndenumerate(matrix):
                rows, columns = block.row_labels or range(row + 1), block.column_labels or range(column + 1)
                yield [name, rows[row], columns[column], value]
        return
    if isinstance(block, ScatterChart):
        yield ["name", block.x_label, block.y_label]
        yield from ([group.name, x, y] for group in block.points for x, y in group.points)
        return
    field = block.field
    yield ["name", field.x_label, field.y_label, field.label]
    xs, ys = field.grid()
    for (row, column), value in np.ndenumerate(field.values):
        yield ["field", _short(float(xs[column])), _short(float(ys[row])), value]
    for drawn in (*block.points, *block.paths):
        for (x, y), value in zip(drawn.points, field.at(drawn.points), strict=True):
            yield [drawn.name, x, y, _known(float(value))]


def _short(value: float) -> str:
    """A grid point without the rounding error of its spacing."""
    return f"{value:.10g}"


def _known(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"
