"""Heat as tints: one or two hues laid over the ground, stronger for larger values, fit for light and dark alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from gradlab.report.palette import RIGHT, WRONG
from gradlab.report.scales import linear_ticks, log_ticks, tick_labels
from gradlab.report.sheet import FONT_SIZE, Sheet, text_width

HUE, SURFACE_HUE = RIGHT, "#62778f"
"""Of small matrices, and of surfaces, whose quiet grey leaves the colours to the paths on them."""
STRONGEST, STRONGEST_OF_TWO = 0.92, 0.5
"""Opacity of the strongest tint; where points lie on two hues, they must stand out from both."""
BAR, _GAP = 14.0, 18.0
_LEVELS = 60
"""Steps of strength: more cannot be told apart, and fewer make smaller files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How values become tints: from nothing at `low` to the strongest at `high`, or in two hues around `middle`."""

    low: float
    high: float
    middle: float | None = None
    log: bool = False
    percent: bool = False
    hue: str = HUE

    def tints(self, values: np.ndarray) -> np.ndarray:
        """The colours of values [...] as RGBA bytes [..., 4]; values beyond the ends take the ends' colours."""
        shares = self.shares(values)
        above = np.ones(shares.shape, bool) if self.middle is None else shares >= 0.5
        strengths = shares if self.middle is None else np.abs(2 * shares - 1)
        found = np.empty((*shares.shape, 4), np.uint8)
        upper, lower = (self.hue, self.hue) if self.middle is None else (WRONG, RIGHT)
        found[..., :3] = np.round(255 * np.where(above[..., None], to_rgb(upper), to_rgb(lower)))
        strongest = STRONGEST if self.middle is None else STRONGEST_OF_TWO
        found[..., 3] = np.round(np.round(strengths * _LEVELS) / _LEVELS * strongest * 255)
        return found

    def shares(self, values: np.ndarray) -> np.ndarray:
        """Where values lie between the ends, in [0, 1]; around a middle, which is at 0.5, both sides reach as far."""
        low, high = self.ends()
        if self.log:
            values, low, high = np.log(values), np.log(low), np.log(high)
        return np.clip((values - low) / (high - low or 1.0), 0, 1)

    def ends(self) -> tuple[float, float]:
        """The values with the strongest tints at both ends of the scale."""
        if self.middle is None:
            return self.low, self.high
        reach = max(self.high - self.middle, self.middle - self.low) or 1.0
        return self.middle - reach, self.middle + reach

    def marks(self) -> tuple[list[float], list[str]]:
        """Round values along the scale, and their labels."""
        low, high = self.low, self.high
        if low == high:
            return [low], tick_labels([low], percent=self.percent)
        ticks = log_ticks(low, high) if self.log else linear_ticks(low, high, count=5)
        return ticks, tick_labels(ticks, percent=self.percent, log=self.log)


def place_picture(sheet: Sheet, pixels: np.ndarray, box: tuple[float, float, float, float]) -> Axes:
    """Lays RGBA bytes [height, width, 4] over a box (left, top, right, bottom), the first row at the top."""
    axes = sheet.axes(*box)
    axes.imshow(pixels, interpolation="none", aspect="auto", origin="upper")
    axes.set_axis_off()
    return axes


def bar_room(scale: Scale) -> float:
    """How many pixels a colour bar takes to the right of a plot."""
    return _GAP + BAR + 7 + max(map(text_width, scale.marks()[1]), default=0.0)


def draw_bar(sheet: Sheet, scale: Scale, left: float, top: float, bottom: float, lines: Sequence[float] = ()) -> None:
    """Draws the colour bar right of a plot that ends at `left`, with a line at each of the given heights."""
    start, tall = left + _GAP, round(bottom - top)
    low, high = scale.low, scale.high
    steps = np.linspace(1, 0, max(tall, 2))
    values = low * (high / low) ** steps if scale.log else low + (high - low) * steps
    place_picture(sheet, scale.tints(values[:, None]).repeat(round(BAR), axis=1), (start, top, start + BAR, bottom))
    ends = [start, start + BAR, start + BAR, start, start]
    sheet.line(ends, [top, top, bottom, bottom, top], "rule", lw=0.7)
    bar = Scale(low=low, high=high, log=scale.log)

    def height(value: float) -> float:
        return bottom - float(bar.shares(np.array(value))) * (bottom - top)

    for value in lines:
        sheet.line([start, start + BAR], [height(value)] * 2, "ink", lw=0.8)
    for value, label in zip(*scale.marks(), strict=True):
        sheet.text(start + BAR + 7, height(value), label, "muted", fontsize=FONT_SIZE - 0.5)
