"""A drawing surface measured in pixels from its top left corner, and how it becomes SVG or PNG.

Only matplotlib's figures and artists are used, never pyplot: nothing global stays changed, and no window is opened.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextToPath
from matplotlib.transforms import Affine2D

from gradlab.report.dots import compacted
from gradlab.report.palette import LIGHT, themed

WIDE, NARROW = 700, 360
"""Widths in pixels of the drawing for a page and of the one for a phone."""
FONT_SIZE = 12.0
_POINTS = 72
_DRAWN_WITH = "DejaVu Sans"
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gradlab",
    "font.family": [_DRAWN_WITH],
    "font.size": FONT_SIZE,
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "lines.solid_capstyle": "round",
    "lines.dash_capstyle": "round",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a key: a sample of the mark and what it stands for."""

    label: str
    colour: str
    line: Any = "-"
    marker: str = ""
    filled: bool = True


class Sheet:
    """A figure whose texts, lines and axes are placed in pixels, x to the right and y down.

    `colours` maps the theme's tokens ("ink", "series-1", ...) to what the sheet is drawn with.
    """

    def __init__(self, width: float, height: float, colours: Mapping[str, str]) -> None:
        self.width, self.height, self.colours = width, height, colours
        self.figure = Figure(figsize=(width / _POINTS, height / _POINTS), dpi=_POINTS, facecolor="none")
        flipped = Affine2D().scale(1 / _POINTS, -1 / _POINTS).translate(0, height / _POINTS)
        self.pixels = flipped + self.figure.dpi_scale_trans

    def text(self, x: float, y: float, text: str, colour: str = "ink", **style: Any) -> None:
        """Writes text at a place; `style` is matplotlib's, such as `ha="right"`."""
        settled: dict[str, Any] = {
            "va": "center",
            "color": self.colours[colour],
            "transform": self.pixels,
            "parse_math": False,
        }
        self.figure.text(x, y, text, **(settled | style))

    def line(self, xs: Sequence[float], ys: Sequence[float], colour: str = "ink", **style: Any) -> None:
        """Draws a line through points; `style` is matplotlib's."""
        artist = Line2D(xs, ys, color=self.colours[colour], transform=self.pixels, **style)
        self.figure.add_artist(artist)

    def axes(self, left: float, top: float, right: float, bottom: float) -> Axes:
        """Adds axes without a frame between the given edges."""
        box = (left / self.width, 1 - bottom / self.height, (right - left) / self.width, (bottom - top) / self.height)
        axes = self.figure.add_axes(box, facecolor="none")
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(length=0, pad=6, labelcolor=self.colours["muted"], labelsize=FONT_SIZE - 0.5)
        return axes

    def key(self, entries: Sequence[Entry], top: float, left: float = 0.0) -> None:
        """Writes a key whose height `key_height` tells."""
        for entry, x, y in _placed(entries, self.width - left):
            shape: dict[str, Any] = {"marker": entry.marker, "markersize": 6} if entry.marker else {}
            face = {} if entry.filled else {"markerfacecolor": "none", "markeredgewidth": 1.5}
            style = {"ls": entry.line, "lw": 2, "markevery": [1]} | shape | face
            places = [left + x, left + x + 9, left + x + 18]
            self.line(places, [y + top] * 3, entry.colour, **style)
            self.text(left + x + 25, y + top, entry.label, "muted")


def key_height(entries: Sequence[Entry], width: float) -> float:
    """How many pixels a key takes in some width; 0 without entries."""
    return max((y + 17 for _, _, y in _placed(entries, width)), default=0.0)


def key_width(entries: Sequence[Entry]) -> float:
    """How many pixels a key takes in one row."""
    return sum(25 + text_width(entry.label) + 16 for entry in entries)


def _placed(entries: Sequence[Entry], width: float) -> list[tuple[Entry, float, float]]:
    """Where each entry goes: from left to right, in as many rows as it takes."""
    placed, x, y = [], 2.0, 9.0
    for entry in entries:
        taken = 25 + text_width(entry.label)
        if x > 2 and x + taken > width:
            x, y = 2.0, y + 19
        placed.append((entry, x, y))
        x += taken + 16
    return placed


@contextmanager
def drawing() -> Iterator[None]:
    """The settings that every drawing is made with, whatever the user's own matplotlib settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = FONT_SIZE, weight: str = "normal") -> float:
    """Width of a line of text in pixels, in a font that is wider than most, so that other fonts fit as well."""
    if not text:
        return 0.0
    properties = FontProperties(family=_DRAWN_WITH, size=size, weight=weight)
    return float(TextToPath().get_text_width_height_descent(text, properties, ismath=False)[0])


def clipped(text: str, width: float, size: float = FONT_SIZE, weight: str = "normal") -> str:
    """The text, cut and ended with an ellipsis where it is wider than `width` pixels."""
    if text_width(text, size, weight) <= width:
        return text
    kept = text
    while kept and text_width(kept + "…", size, weight) > width:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def broken(text: str, width: float, size: float = FONT_SIZE) -> list[str]:
    """The text in lines of at most `width` pixels, broken at its ends of line and at spaces; a wider word is clipped.

    A number and its "%" stay together.
    """
    lines = []
    for part in text.split("\n"):
        line = ""
        for word in re.split(" (?!%)", part):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size) > width:
                lines.append(clipped(line, width, size))
                longer = word
            line = longer
        lines.append(clipped(line, width, size))
    return lines


def clipped_inside(text: str, width: float, size: float = FONT_SIZE, weight: str = "normal") -> str:
    """The text, with an ellipsis for its middle where it is wider than `width` pixels: both ends say something."""
    kept = len(text)
    short = text
    while kept and text_width(short, size, weight) > width:
        kept -= 1
        short = text[: kept // 2].rstrip() + "…" + text[len(text) - (kept - kept // 2) :].lstrip()
    return short


def as_svg(sheet: Sheet) -> str:
    """The sheet as an SVG element with nothing but drawing in it: no header, no style, no address of any kind."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    sheet.figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = svg[svg.index("<svg") :]
    body = svg[svg.index(">") + 1 : svg.rindex("</svg>")]
    # Texts keep their size, weight and anchor; which font they are in is for the page to say.
    body = re.sub(r"font: ((?:\w+ )*?)([\d.]+px)[^;\"]*", _font, body)
    body = re.sub(r"<[^>]*>", _shortened, re.sub(r' transform="rotate\(-0 [^"]*"', "", body))
    body = re.sub(r"\s*\n\s*", " ", body).replace("> <", "><").strip().replace("xlink:href", "href")
    body = compacted(body)
    # `width` and `height` are attributes of the element's box; a page overrules them, a viewer obeys them.
    return f'<svg viewBox="0 0 {sheet.width:g} {sheet.height:g}" stroke-linejoin="round">{body}</svg>'


def inlined(svg: str, prefix: str, alt: str, css_class: str) -> str:
    """An SVG element for a page: coloured by the style sheet's variables, named for readers, its ids made unique."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    return themed(svg).replace("<svg ", f'<svg class="{css_class}" role="img" aria-label="{escape(alt)}" ', 1)


def standing_alone(svg: str, alt: str, family: str = SANS) -> str:
    """An SVG document on white, in the light theme's colours."""
    light = themed(svg, LIGHT.tokens())
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', light)
    width, height = box.groups() if box else (str(WIDE), str(WIDE))
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = f'<svg {names} width="{width}" height="{height}" font-family="{family}" role="img" '
    ground = f'<title>{escape(alt)}</title><rect width="{width}" height="{height}" fill="{LIGHT.paper}"/>'
    light = light.replace("<svg ", head, 1)
    cut = light.index(">", light.index("<svg ")) + 1
    return light[:cut] + ground + light[cut:] + "\n"


def as_png(sheet: Sheet, scale: float = 2.0) -> bytes:
    """The sheet as a PNG on its paper colour, `scale` picture dots a pixel."""
    buffer = io.BytesIO()
    facecolor = sheet.colours["paper"]
    # matplotlib writes its version into a PNG unless told not to: a rebuild elsewhere would differ for no reason.
    sheet.figure.savefig(buffer, format="png", dpi=_POINTS * scale, facecolor=facecolor, metadata={"Software": None})
    return buffer.getvalue()


def _shortened(tag: re.Match[str]) -> str:
    """A tag whose places have two decimals: a hundredth of a pixel is finer than any screen.

    Numbers below 1 may be scales and keep their digits; so do those in texts, which stand outside of tags.
    """
    return re.sub(r"([1-9]\d*\.\d\d)\d+", r"\1", tag.group())


def _font(found: re.Match[str]) -> str:
    weight = found.group(1).strip()
    return f"font-size: {found.group(2)}" + (f"; font-weight: {weight}" if weight else "")
