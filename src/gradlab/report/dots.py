"""Many small discs in one SVG path: a tenth of the size that matplotlib's markers take, and in the theme's colours."""

import re

import numpy as np
from matplotlib.axes import Axes

_NAME = "dots-{:.2f}-{}"
_GROUP = re.compile(r'<g id="dots-([\d.]+)-\d+"><defs>.*?</defs><g[^>]*>(.*?)</g></g>', re.DOTALL)
_PLACE = re.compile(r'<use [^>]*?x="([-\d.]+)" y="([-\d.]+)"[^>]*?fill: (#\w+)')


def draw_dots(axes: Axes, points: np.ndarray, radius: float, colour: str, *, zorder: float = 3) -> None:
    """Draws discs of `radius` pixels at points [N, 2], over whatever has a lower `zorder`."""
    (drawn,) = axes.plot(
        points[:, 0],
        points[:, 1],
        ls="",
        marker="o",
        markersize=2 * radius,
        color=colour,
        markeredgewidth=0,
        zorder=zorder,
    )
    # The name tells `compacted` which groups are discs, and how large they are; it must differ from the others.
    drawn.set_gid(_NAME.format(2 * radius, len(axes.lines)))


def compacted(svg: str) -> str:
    """The drawing with every group of discs as one path: short strokes with round ends, to a tenth of a pixel."""
    return _GROUP.sub(_as_path, svg)


def _as_path(group: re.Match[str]) -> str:
    found = _PLACE.findall(group.group(2))
    if not found:
        return ""
    # A stroke of no length is a disc by the standard, but not to every reader.
    steps = "".join(f"M{float(x):.4g} {float(y):.4g}h.01" for x, y, _colour in found)
    paint = f'stroke="{found[0][2]}" stroke-width="{group.group(1)}" stroke-linecap="round" fill="none"'
    return f'<path d="{steps}" {paint}/>'
