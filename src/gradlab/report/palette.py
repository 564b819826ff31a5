"""The colours of a report, in light and in dark, and the stand-ins that make one drawing fit both."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours as `#rrggbb`; text reaches a contrast of 4.5 on `paper` and `raised`, marks reach 3."""

    paper: str
    raised: str
    ink: str
    muted: str
    grid: str
    rule: str
    accent: str
    series: tuple[str, ...]

    def tokens(self) -> dict[str, str]:
        """Every colour under the name it has in the style sheet, such as "ink" or "series-1"."""
        single = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "series"}
        return single | {f"series-{place}": colour for place, colour in enumerate(self.series, start=1)}


# The hues follow Okabe and Ito (2008), moved in lightness until a coloured label can be read as text on either ground.
LIGHT = Theme(
    paper="#ffffff",
    raised="#f5f7f9",
    ink="#1b2026",
    muted="#59616b",
    grid="#e4e8ec",
    rule="#868e98",
    accent="#0b65ad",
    series=(
        "#0b65ad",
        "#bd4a00",
        "#007f62",
        "#6b2c6e",
        "#8a6500",
        "#127a98",
        "#66312b",
        "#4c6873",
        "#b03060",
        "#4f6b00",
    ),
)
DARK = Theme(
    paper="#14181d",
    raised="#1d2229",
    ink="#e9ecef",
    muted="#a2abb5",
    grid="#2b323a",
    rule="#78828d",
    accent="#62b1f0",
    series=(
        "#62b1f0",
        "#f2925a",
        "#2fc496",
        "#ee7ad2",
        "#e3d03e",
        "#7cd6da",
        "#e97c71",
        "#a9b1ba",
        "#ff9ab8",
        "#b7cf6a",
    ),
)

RIGHT, WRONG = "#2f7ec2", "#e0611a"
"""The fills of a confusion matrix, laid over either ground with an opacity of at most `STRONGEST_FILL`."""
STRONGEST_FILL = 0.55


def series(colour: int) -> str:
    """The token of a series' colour; after the last one the colours begin again."""
    return f"series-{colour % len(LIGHT.series) + 1}"


def stand_ins() -> dict[str, str]:
    """A colour that occurs nowhere else for every token: what a figure is drawn with before it is themed."""
    return {name: f"#fe{place:02x}fd" for place, name in enumerate(LIGHT.tokens(), start=1)}


def themed(svg: str, colours: Mapping[str, str] | None = None) -> str:
    """The drawing with its stand-ins replaced: by `colours`, or by the style sheet's variables."""
    for name, stand_in in stand_ins().items():
        svg = svg.replace(stand_in, colours[name] if colours is not None else f"var(--{name})")
    return svg


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours by WCAG 2.2, from 1 (equal) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def laid_over(colour: str, ground: str, opacity: float) -> str:
    """The colour that is seen where `colour` lies over `ground` with an opacity from 0 to 1."""
    mixed = (opacity * top + (1 - opacity) * below for top, below in zip(_bytes(colour), _bytes(ground), strict=True))
    return "#" + "".join(f"{round(value):02x}" for value in mixed)


def _luminance(colour: str) -> float:
    shares = (value / 255 for value in _bytes(colour))
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _bytes(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))
