"""Where an axis begins, ends and is marked."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

from gradlab.report.blocks import LineChart

_BAND_REACH = 0.6
"""How far, in ranges of what was measured, a band may stretch the axis: one that would dwarf the lines is cut off."""
_DEGREES = (5, 10, 15, 30, 45, 90, 180, 360)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def mark(
    axis: Axis,
    low: float,
    high: float,
    *,
    log: bool,
    percent: bool,
    whole: bool = False,
    angle: bool = False,
    count: int = 6,
) -> None:
    """Sets the axis's marks and their labels between `low` and `high`."""
    if angle:
        ticks = angle_ticks(low, high, count=count)
    else:
        ticks = log_ticks(low, high) if log else linear_ticks(low, high, whole=whole, count=count)
    axis.set_ticks(ticks, labels=tick_labels(ticks, percent=percent, log=log))
    axis.set_ticks([], minor=True)


def linear_ticks(low: float, high: float, *, whole: bool = False, count: int = 6) -> list[float]:
    """Round values between `low` and `high`, about `count` of them."""
    values = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(low, high)
    slack = (high - low) * 1e-9
    return [float(value) for value in values if low - slack <= value <= high + slack]


def angle_ticks(low: float, high: float, *, count: int = 6) -> list[float]:
    """Whole parts of a right angle between `low` and `high` degrees, or multiples of it, at most `count` steps."""
    step = next(step for step in _DEGREES if (high - low) / step <= count or step == _DEGREES[-1])
    first = math.ceil(low / step)
    return [float(step * place) for place in range(first, math.floor(high / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between `low` and `high`, or 1, 2, 5 times such powers where there are too few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside = [10.0**exponent for exponent in exponents if low <= 10.0**exponent <= high]
    if len(inside) > 8:
        return inside[:: math.ceil(len(inside) / 7)]
    if len(inside) >= 3:
        return inside
    finer = [step * 10.0**exponent for exponent in exponents for step in (1, 2, 5)]
    chosen = [value for value in finer if low <= value <= high]
    return chosen if len(chosen) >= 2 else linear_ticks(low, high, count=4)


def tick_labels(ticks: Sequence[float], *, percent: bool, log: bool = False) -> list[str]:
    """The marks' labels, all with as many decimals as the closest two of them need."""
    scaled = [100 * tick for tick in ticks] if percent else list(ticks)
    if log:
        return [_log_label(value) for value in scaled]
    step = min((second - first for first, second in itertools.pairwise(scaled)), default=1.0)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    # A step of 2.5 needs a decimal more than its size tells.
    places += any(abs(round(value, places) - value) > step * 1e-6 for value in scaled)
    return [f"{value:z,.{places}f}".replace("-", "−") for value in scaled]


def value_range(chart: LineChart) -> tuple[float, float]:
    """The vertical range of a line chart: all means and drawn seeds, bands as far as they leave the lines readable."""
    forward, back = _scale(log=chart.log_y)
    means = [value for line in chart.lines for value in line.mean]
    seeds = [value for line in chart.lines for _, values in line.seeds for value in values if value is not None]
    drawn = [forward(value) for value in (*means, *seeds) if not chart.log_y or value > 0]
    low, high = min(drawn), max(drawn)
    reach = _BAND_REACH * (high - low)
    ends = [forward(value) for value in _band_ends(chart) if not chart.log_y or value > 0]
    if reach == 0:
        reach = max((abs(end - low) for end in ends), default=0.0) or abs(low) * 0.1 or 1.0
    low = max(min([low, *ends]), low - reach)
    high = min(max([high, *ends]), high + reach)
    pad = 0.05 * (high - low or 1.0)
    low, high = back(low - pad), back(high + pad)
    if chart.percent and not chart.log_y:
        # A share ends at 100 %; a little room is left so that a line at the top is not cut in half.
        slack = 0.02 * (high - low)
        low, high = max(low, -slack), min(high, 1 + slack)
    return low, high


def padded(values: Iterable[float], *, log: bool, share: float = 0.04) -> tuple[float, float]:
    """The range of values with some room on either side."""
    forward, back = _scale(log=log)
    known = [forward(value) for value in values]
    low, high = min(known), max(known)
    pad = share * (high - low) if high > low else 0.5 * (abs(low) or 1.0)
    return back(low - pad), back(high + pad)


def _band_ends(chart: LineChart) -> list[float]:
    both = [ends for line in chart.lines for at in line.banded() for ends in (line.low[at], line.high[at])]
    return [end for end in both if end is not None]


def _scale(*, log: bool) -> tuple[Callable[[float], float], Callable[[float], float]]:
    def same(value: float) -> float:
        return value

    def power(value: float) -> float:
        return 10.0**value

    return (math.log10, power) if log else (same, same)


def _log_label(value: float) -> str:
    if 0.001 <= value < 100_000:
        return f"{value:,.10g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = value / 10.0**exponent
    power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
    return power if abs(factor - 1) < 1e-6 else f"{factor:g}·{power}"
