"""Numbers as a reader wants them: as many digits as the interval supports, always with their n."""

import math

from gradlab.stats.summary import Summary

EVERYWHERE = "on every seed"
"""What stands in place of an interval where all seeds have the same value: ends without width would claim certainty."""
_MOST_DECIMALS = 12


def format_interval(summary: Summary, *, percent: bool = False, digits: int | None = None) -> str:
    """Returns the mean with its interval and n, such as "98.62 % [98.41, 98.83] (n = 3)".

    Where all values are equal there is no interval: "100.00 % on every seed (n = 3)".

    Args:
        summary: what to print.
        percent: print fractions as percentages.
        digits: decimals to print; None takes what the interval's width supports (see `decimals_for`).
    """
    scale, unit = (100.0, " %") if percent else (1.0, "")
    mean = scale * summary.mean
    if summary.low is None or summary.high is None:
        places = _decimals_without_interval(mean, percent=percent) if digits is None else digits
        return f"{mean:z.{places}f}{unit} (n = {summary.n}, no interval)"
    low, high = scale * summary.low, scale * summary.high
    places = decimals(mean, low, high, percent=percent) if digits is None else digits
    level = "" if summary.confidence == 0.95 else f", {100 * summary.confidence:g} % interval"
    if is_steady(mean, low, high):
        return f"{mean:z.{places}f}{unit} {EVERYWHERE} (n = {summary.n})"
    return f"{mean:z.{places}f}{unit} [{low:z.{places}f}, {high:z.{places}f}] (n = {summary.n}{level})"


def is_steady(centre: float, low: float, high: float) -> bool:
    """Whether an interval's width is no more than rounding: all values were equal, which supports no interval."""
    return (high - low) / 2 <= 1e-12 * abs(centre)


def decimals(centre: float, low: float, high: float, *, percent: bool) -> int:
    """Returns how many decimals an estimate and its interval deserve, at least 0."""
    if is_steady(centre, low, high):
        return _decimals_without_interval(centre, percent=percent)
    return decimals_for((high - low) / 2)


def decimals_for(half_width: float) -> int:
    """Returns the decimals that show an uncertainty with one or two significant digits, at least 0.

    Two digits while the leading three are at most 354 (or round up to 1000), one digit above.

    Source: Particle Data Group, Review of Particle Physics, introduction, "Rounding".
    """
    exponent = math.floor(math.log10(half_width))
    leading = half_width / 10.0**exponent
    significant = 1 if 3.545 <= leading < 9.495 else 2
    if leading >= 9.495:
        exponent += 1
    return min(_MOST_DECIMALS, max(0, significant - 1 - exponent))


def _decimals_without_interval(value: float, *, percent: bool) -> int:
    """Returns two decimals for a percentage, and for other numbers what shows four significant digits."""
    if percent or value == 0:
        return 2
    return min(_MOST_DECIMALS, max(0, 3 - math.floor(math.log10(abs(value)))))
