"""Line charts from rows: the mean over seeds at each x, with the interval of that mean."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import compress

from gradlab.errors import UsageError
from gradlab.records import Row
from gradlab.report.blocks import FEW_SEEDS, Line, LineChart
from gradlab.report.wording import counted, is_share, joined
from gradlab.stats import summarise

Where = Mapping[str, object]
Measured = dict[float, dict[object, float]]
"""x -> seed -> y."""
Interval = Callable[[list[float]], tuple[float, float | None, float | None]]
"""Values over seeds -> their mean, and the ends of its interval."""


def line_chart(  # noqa: PLR0913 - each argument is one plain property of a chart
    rows: Iterable[Row],
    *,
    x: str = "epoch",
    y: str = "accuracy",
    by: str = "arm",
    where: Where | None = None,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    percent: bool = False,
    log_x: bool = False,
    log_y: bool = False,
    caption: str = "",
) -> LineChart:
    """Returns the chart of `y` against `x`: a line for each value of `by`, the mean over seeds and its 95 % t band.

    Up to three seeds are lines of their own instead: bands of so few are as wide as a wall wherever one seed jumps.

    Args:
        rows: all rows of a run; those without `x`, `y` or `by` are passed over.
        x: the field along the horizontal axis, a number.
        y: the measurement along the vertical axis.
        by: the field whose values get a colour each.
        where: field -> the value, or the list of values, that a row must have. The first field with a list of several
            gets a dash for each value; the last of them is drawn solid.
        title: what the chart shows; made from `y` and `x` where empty.
        x_label: label of the horizontal axis; the field's name where empty.
        y_label: label of the vertical axis; the field's name where empty.
        percent: `y` is a fraction, shown in percent.
        log_x: draw `x` on a logarithmic scale; points not above 0 are left out, and the caption says so.
        log_y: draw `y` on a logarithmic scale; likewise. Means and intervals are then geometric, but where a value is
            not above 0 and has no logarithm: then all of them are arithmetic.
        caption: a sentence of the experiment; the number of seeds is added to it.

    Raises:
        UsageError: two rows give different values for one line, x and seed.
    """
    chosen = {name: _choices(value) for name, value in (where or {}).items()}
    style = next((name for name, choices in chosen.items() if len(choices) > 1), "")
    found, lost, names = _measured(rows, x, y, by, chosen, style)
    geometric = log_y and all(value > 0 for line in found.values() for at in line.values() for value in at.values())
    interval = _geometric if geometric else partial(_interval, share=percent and (is_share(y) or y == "error"))
    lines = _lines(found, names, chosen.get(style, [""]), interval)
    lines, hidden = _showable(lines, log_x=log_x, log_y=log_y)
    return LineChart(
        lines=lines,
        title=title or f"{_words(y)} by {_words(x)}".capitalize(),
        x_label=x_label or _words(x),
        y_label=y_label or _words(joined((_only(chosen.get("split", [])), y), " ")),
        percent=percent,
        log_x=log_x,
        log_y=log_y,
        caption=joined((caption, _seeds_told(lines, geometric=geometric), _lost_told(lost), _hidden_told(hidden)), " "),
        columns=(by, style or "style", x, y),
    )


def _measured(
    rows: Iterable[Row], x: str, y: str, by: str, chosen: Mapping[str, Sequence[object]], style: str
) -> tuple[dict[tuple[str, str], Measured], int, list[str]]:
    """Returns the values of every (name, style), how many were not finite, and all names in order."""
    found: dict[tuple[str, str], Measured] = {}
    lost, names = 0, {}
    for row in rows:
        if row.get(by) is None:
            continue
        name = str(row[by])
        names[name] = None
        at = row.get(x)
        if y not in row or isinstance(at, str) or at is None:
            continue
        if any(row.get(field) not in choices for field, choices in chosen.items()):
            continue
        value = row[y]
        if not isinstance(value, int | float) or not math.isfinite(value):
            lost += 1
            continue
        key = (name, str(row.get(style, "")) if style else "")
        _place(found.setdefault(key, {}).setdefault(float(at), {}), row.get("seed"), float(value), key, x, at)
    return found, lost, list(names)


def _place(by_seed: dict[object, float], seed: object, value: float, key: tuple[str, str], x: str, at: object) -> None:
    if by_seed.setdefault(seed, value) != value:
        where = joined(key, ", ")
        raise UsageError(f"two values for {where}, seed {seed}, {x} {at}: narrow `where` to one measurement a point")


def _lines(
    found: Mapping[tuple[str, str], Measured], names: Sequence[str], styles: Sequence[object], interval: Interval
) -> tuple[Line, ...]:
    keys = [(name, str(style)) for name in names for style in styles if (name, str(style)) in found]
    return tuple(_line(name, style, found[name, style], names.index(name), interval) for name, style in keys)


def _line(name: str, style: str, measured: Measured, colour: int, interval: Interval) -> Line:
    places = sorted(measured)
    means, lows, highs = zip(*(interval(list(measured[place].values())) for place in places), strict=True)
    counts = tuple(len(measured[place]) for place in places)
    by_seed = {seed: None for place in places for seed in measured[place]} if 1 < max(counts) <= FEW_SEEDS else {}
    seeds = tuple((str(seed), tuple(measured[place].get(seed) for place in places)) for seed in by_seed)
    return Line(name, style, tuple(places), mean=means, low=lows, high=highs, n=counts, colour=colour, seeds=seeds)


def _interval(values: list[float], *, share: bool = False) -> tuple[float, float | None, float | None]:
    summary = summarise(values, share=share)
    return summary.mean, summary.low, summary.high


def _geometric(values: list[float]) -> tuple[float, float | None, float | None]:
    """Geometric mean and interval, for a logarithmic axis, where an interval that reaches 0 would have no end."""
    summary = summarise([math.log(value) for value in values])
    low = None if summary.low is None else math.exp(summary.low)
    return math.exp(summary.mean), low, None if summary.high is None else math.exp(summary.high)


def _showable(lines: Iterable[Line], *, log_x: bool, log_y: bool) -> tuple[tuple[Line, ...], int]:
    """Returns the lines without the points that a logarithmic axis has no place for, and how many those were.

    An error that falls to 0 is good news, and no reason to end a long run without a report.
    """
    kept, hidden = [], 0
    for line in lines:
        fits = [(at > 0 or not log_x) and (mean > 0 or not log_y) for at, mean in zip(line.x, line.mean, strict=True)]
        hidden += fits.count(False)
        if any(fits):
            columns = {name: tuple(compress(getattr(line, name), fits)) for name in ("x", "mean", "low", "high", "n")}
            seeds = ((name, tuple(compress(values, fits))) for name, values in line.seeds)
            shown = tuple((name, tuple(_above_0(value, log=log_y) for value in values)) for name, values in seeds)
            kept.append(replace(line, **columns, seeds=shown))
    return tuple(kept), hidden


def _above_0(value: float | None, *, log: bool) -> float | None:
    return None if value is None or (log and value <= 0) else value


def _seeds_told(lines: Sequence[Line], *, geometric: bool) -> str:
    counts = {n for line in lines for n in line.n}
    if not counts:
        return ""
    if counts == {1}:
        return "One seed, so there is no interval."
    fewest, most = min(counts), max(counts)
    seeds = counted(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
    mean = "Geometric mean" if geometric else "Mean"
    if most <= FEW_SEEDS:
        return f"{mean} over {seeds}; the thin lines are the seeds, which are too few for a band."
    few = f"; where {FEW_SEEDS} seeds or fewer are left there is none" if fewest <= FEW_SEEDS else ""
    thin = ", and thin lines are the seeds" if any(line.seeds for line in lines) else ""
    return f"{mean} over {seeds}; the band is the 95 % interval of the mean{few}{thin}."


def _lost_told(lost: int) -> str:
    return f"{counted(lost, 'measurement')} not finite and left out." if lost else ""


def _hidden_told(hidden: int) -> str:
    return f"{counted(hidden, 'point')} not above 0 and off the logarithmic scale." if hidden else ""


def _choices(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _only(choices: Sequence[object]) -> str:
    return str(choices[0]) if len(choices) == 1 else ""


def _words(name: str) -> str:
    return name.replace("_", " ")
