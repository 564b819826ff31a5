"""Draws a line chart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from gradlab.report.blocks import Line, LineChart
from gradlab.report.palette import series
from gradlab.report.scales import mark, padded, tick_labels, value_range
from gradlab.report.sheet import NARROW, Entry, Sheet, clipped_inside, key_height, key_width, text_width

_DASHES = ("-", (0, (3.2, 2.4)), (0, (0.6, 2.2)), (0, (6, 2, 1, 2)))
_MARKERS = ("", "", "", "", "o", "s", "^", "D", "v", "P")
"""Four colours can be told apart by everyone; later ones are told by a shape as well."""
_MOST_DOTTED = 12
"""Lines of at most so many points show each of them."""
_MOST_LABELS, _LABEL_GAP, _LONGEST_LABEL = 10, 17.0, 200.0


def draw_lines(chart: LineChart, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns the drawing of a line chart that has at least one line, `width` pixels wide."""
    styles = list(dict.fromkeys(line.style for line in chart.lines))
    names = {line.name: line.colour for line in chart.lines}
    room = max(text_width(name, weight="bold") for name in names)
    beside = width > NARROW and len(names) <= _MOST_LABELS and room <= _LONGEST_LABEL
    coloured = [] if beside else [(clipped_inside(name, width - 45), colour) for name, colour in names.items()]
    entries = _entries(coloured, styles)
    label = chart.y_label + (", %" if chart.percent else "")
    # The key shares the row of the vertical axis's label where both fit, and takes rows of its own where not.
    shared = text_width(label) + 30 + key_width(entries) <= width
    top = 34 if shared else key_height(entries, width) + 34
    bottom = top + (290 if width > NARROW else 240)
    right = width - (room + 18 if beside else 14)
    sheet = Sheet(width, bottom + 52, colours)
    sheet.key(entries, 3 if shared else 2, text_width(label) + 30 if shared else 0)
    sheet.text(0, top - 22, label, "muted")
    axes = _plot(sheet, chart, top, right, bottom)
    for line in chart.lines:
        _draw(sheet, axes, line, _dash(styles, line.style), faint=line.style != styles[-1])
    if beside:
        _label_ends(sheet, axes, [_labelled(chart.lines, name, styles) for name in names])
    return sheet


def _entries(names: Sequence[tuple[str, int]], styles: Sequence[str]) -> list[Entry]:
    """What the key has to tell: the colours, unless labels at the line ends do, and the dashes."""
    coloured = [Entry(name, series(colour), marker=_marker(colour)) for name, colour in names]
    dashed = [Entry(style, "muted", _dash(styles, style)) for style in reversed(styles)]
    return coloured + (dashed if len(styles) > 1 else [])


def _plot(sheet: Sheet, chart: LineChart, top: float, right: float, bottom: float) -> Axes:
    """Adds the axes with their marks, thin horizontal lines and the label of the horizontal axis."""
    low, high = value_range(chart)
    axes = sheet.axes(60, top, right, bottom)
    if chart.log_y:
        axes.set_yscale("log")
    if chart.log_x:
        axes.set_xscale("log")
    axes.set_ylim(low, high)
    places = [place for line in chart.lines for place in line.x]
    axes.set_xlim(*padded(places, log=chart.log_x, share=0.02))
    whole = all(place == int(place) for place in places)
    count = 8 if sheet.width > NARROW else 5
    mark(axes.yaxis, low, high, log=chart.log_y, percent=chart.percent)
    angle = chart.columns[2] == "angle"
    mark(axes.xaxis, min(places), max(places), log=chart.log_x, percent=False, whole=whole, angle=angle, count=count)
    # The vertical labels' own width decides where the plot begins.
    labels = tick_labels([float(tick) for tick in axes.get_yticks()], percent=chart.percent, log=chart.log_y)
    left = max(map(text_width, labels), default=0.0) + 12
    axes.set_position(
        (left / sheet.width, 1 - bottom / sheet.height, (right - left) / sheet.width, (bottom - top) / sheet.height)
    )
    axes.grid(visible=True, axis="y", color=sheet.colours["grid"], linewidth=1)
    axes.set_axisbelow(True)
    sheet.line([left, right], [bottom, bottom], "rule", lw=1)
    sheet.text((left + right) / 2, bottom + 38, chart.x_label, "muted", ha="center")
    return axes


def _draw(sheet: Sheet, axes: Axes, line: Line, dash: Any, *, faint: bool) -> None:
    """Draws one line with its band or seeds; a faint one, such as the training curve, steps back behind the others."""
    colour = sheet.colours[series(line.colour)]
    _draw_spread(axes, line, colour, dash, faint=faint)
    marker = _marker(line.colour) or ("o" if len(line.x) <= _MOST_DOTTED else "")
    every = max(1, len(line.x) // _MOST_DOTTED)
    style: dict[str, Any] = {
        "color": colour,
        "ls": dash,
        "lw": 1.5 if faint else 2.2,
        "marker": marker,
        "markevery": every,
    }
    axes.plot(line.x, line.mean, markersize=3 if faint else 4.5, zorder=2 if faint else 3, **style)


def _draw_spread(axes: Axes, line: Line, colour: str, dash: Any, *, faint: bool) -> None:
    """Draws the band of enough seeds, or else a thin line, at a single place a point, for each seed."""
    banded = line.banded()
    low, high = (np.array([ends[place] for place in banded], float) for ends in (line.low, line.high))
    at = [line.x[place] for place in banded]
    if len(line.x) == 1 and banded:
        axes.vlines(at, low, high, color=colour, lw=2, alpha=0.6)
    elif len(banded) > 1:
        axes.fill_between(at, low, high, color=colour, alpha=0.07 if faint else 0.14, linewidth=0)
    single = {"marker": "_", "markersize": 9} if len(line.x) == 1 else {}
    for _name, values in line.seeds:
        known = np.array(values, float)  # None becomes a gap
        axes.plot(line.x, known, color=colour, ls=dash, lw=0.9, alpha=0.3 if faint else 0.5, zorder=1, **single)


def _labelled(lines: Sequence[Line], name: str, styles: Sequence[str]) -> Line:
    """The line of a name that carries its label: the one of the last style it has."""
    return max((line for line in lines if line.name == name), key=lambda line: styles.index(line.style))


def _label_ends(sheet: Sheet, axes: Axes, lines: Sequence[Line]) -> None:
    """Writes each line's name at its end, moved up or down where names would overlap."""
    ends = axes.transData.transform([(line.x[-1], line.mean[-1]) for line in lines])
    xs, ys = ends[:, 0], sheet.height - ends[:, 1]
    box = axes.get_position()
    right = box.x1 * sheet.width
    top, bottom = (1 - box.y1) * sheet.height, (1 - box.y0) * sheet.height
    for line, x, y, settled in zip(lines, xs, ys, spread(list(map(float, ys)), top, bottom), strict=True):
        colour = series(line.colour)
        if abs(settled - y) > 3 or right - x > 30:
            # Grey dots: a thin line in the line's colour would pass for a seed that was trained for longer.
            sheet.line([float(x) + 5, right + 9], [float(y), settled], "muted", lw=0.8, ls=":")
        sheet.text(right + 13, settled, line.name, colour, weight="bold")


def spread(places: Sequence[float], top: float, bottom: float, gap: float = _LABEL_GAP) -> list[float]:
    """The places, moved as little as keeps them `gap` apart in their order and, where possible, inside the range."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    groups: list[list[float]] = []
    # Labels that would overlap form a group around the mean of where they want to be (as in isotonic regression).
    for position, index in enumerate(order):
        groups.append([places[index] - position * gap])
        while len(groups) > 1 and sum(groups[-2]) / len(groups[-2]) > sum(groups[-1]) / len(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    settled = [sum(group) / len(group) for group in groups for _ in group]
    last = bottom - (len(places) - 1) * gap
    moved = [max(top, min(value, last)) + position * gap for position, value in enumerate(settled)]
    return [moved[order.index(index)] for index in range(len(places))]


def _dash(styles: Sequence[str], style: str) -> Any:
    """The last style is solid: it is the one the chart is about."""
    return _DASHES[(len(styles) - 1 - styles.index(style)) % len(_DASHES)]


def _marker(colour: int) -> str:
    return _MARKERS[colour % len(_MARKERS)]
