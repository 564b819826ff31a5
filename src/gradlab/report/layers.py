"""Lays a graph without circles out in layers: few crossings, short arrows, nothing on top of anything else.

Source: Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system structures": longest
paths, barycentres; places within a layer by least squares under least distances (isotonic regression).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradlab.errors import UsageError

SWEEPS = 12
THREAD = 16.0
"""Pixels that an arrow takes in the layers it passes through."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies.

    Args:
        layer: of each box, from 0.
        x: of each box's middle, in pixels.
        bends: of each arrow, the x in each layer that it passes through between its boxes.
    """

    layer: tuple[int, ...]
    x: tuple[float, ...]
    bends: tuple[tuple[float, ...], ...]


def layers_of(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each box: one more than the lowest box with an arrow to it.

    Raises:
        UsageError: the arrows form a circle.
    """
    layer, missing = [0] * count, [0] * count
    for _start, end in arrows:
        missing[end] += 1
    ready = [box for box in range(count) if not missing[box]]
    for box in ready:  # grows while it is read
        for start, end in arrows:
            if start == box:
                layer[end] = max(layer[end], layer[box] + 1)
                missing[end] -= 1
                if not missing[end]:
                    ready.append(end)
    if len(ready) < count:
        raise UsageError("the arrows of a graph form a circle")
    return layer


def laid_out(count: int, arrows: Sequence[tuple[int, int]], *, width: float, box: float, gap: float) -> Layout:
    """Places boxes, each `box` pixels wide, and arrows within `width`; layers that are too full run over it.

    Args:
        count: boxes.
        arrows: (start, end) of each, from an upper to a lower layer.
        width: of the drawing, in pixels.
        box: width of a box.
        gap: least pixels between two boxes.
    """
    layer = layers_of(count, arrows)
    chains, depth = _threaded(arrows, layer)
    links = [pair for chain in chains for pair in pairwise(chain)]
    rows = _rows(depth)
    above, below = _neighbours(len(depth), links)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            _sort(row, rows, above if down else below)
    wide = [box if item < count else THREAD for item in range(len(depth))]
    x = _places(rows, above, below, wide, width, gap)
    left = min(place - wide[item] / 2 for item, place in enumerate(x))
    right = max(place + wide[item] / 2 for item, place in enumerate(x))
    shift = (width - left - right) / 2
    bends = tuple(tuple(x[item] + shift for item in chain[1:-1]) for chain in chains)
    return Layout(tuple(layer), tuple(place + shift for place in x[:count]), bends)


def fullest(count: int, arrows: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """(boxes, passing arrows) of the layer that takes most room."""
    layer = layers_of(count, arrows)
    boxes, passing = [0] * (max(layer, default=0) + 1), [0] * (max(layer, default=0) + 1)
    for place in layer:
        boxes[place] += 1
    for start, end in arrows:
        for place in range(layer[start] + 1, layer[end]):
            passing[place] += 1
    return max(zip(boxes, passing, strict=True), key=lambda pair: 6 * pair[0] + pair[1], default=(0, 0))


def _threaded(arrows: Sequence[tuple[int, int]], layer: Sequence[int]) -> tuple[list[list[int]], list[int]]:
    """Every arrow as a chain of items from layer to layer, and the layer of every item; boxes come first."""
    depth, chains = list(layer), []
    for start, end in arrows:
        chain = [start]
        for place in range(layer[start] + 1, layer[end]):
            chain.append(len(depth))
            depth.append(place)
        chains.append([*chain, end])
    return chains, depth


def _rows(depth: Sequence[int]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for item, place in enumerate(depth):
        rows[place].append(item)
    return rows


def _neighbours(count: int, links: Sequence[tuple[int, int]]) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in links:
        above[lower].append(upper)
        below[upper].append(lower)
    return above, below


def _sort(row: list[int], rows: Sequence[Sequence[int]], neighbours: Sequence[Sequence[int]]) -> None:
    """Orders a row by the mean place of each item's neighbours; items without any keep theirs."""
    places = {item: place / len(other) for other in rows for place, item in enumerate(other)}
    means = {
        item: sum(places[other] for other in neighbours[item]) / len(neighbours[item])
        if neighbours[item]
        else places[item]
        for item in row
    }
    row.sort(key=lambda item: means[item])


def _places(
    rows: Sequence[Sequence[int]],
    above: Sequence[Sequence[int]],
    below: Sequence[Sequence[int]],
    wide: Sequence[float],
    width: float,
    gap: float,
) -> list[float]:
    x = [width / 2] * len(wide)
    for row in rows:
        for item, place in zip(row, _packed([width / 2] * len(row), row, wide, width, gap), strict=True):
            x[item] = place
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            around = [[*above[item], *below[item]] for item in row]
            wished = [sum(x[other] for other in near) / len(near) if near else x[item]
                      for item, near in zip(row, around, strict=True)]  # fmt: skip
            for item, place in zip(row, _packed(wished, row, wide, width, gap), strict=True):
                x[item] = place
    return x


def _packed(
    wished: Sequence[float], row: Sequence[int], wide: Sequence[float], width: float, gap: float
) -> list[float]:
    """The places nearest to the wished ones that keep their order and leave `gap` between neighbours."""
    offset, offsets = 0.0, []
    for before, item in zip([None, *row[:-1]], row, strict=True):
        offset += 0 if before is None else (wide[before] + wide[item]) / 2 + gap
        offsets.append(offset)
    low, high = wide[row[0]] / 2, width - wide[row[-1]] / 2 - offset
    free = _rising([wish - offset for wish, offset in zip(wished, offsets, strict=True)])
    middle = (low + high) / 2
    kept = [min(max(place, low), high) if low <= high else middle for place in free]
    return [place + offset for place, offset in zip(kept, offsets, strict=True)]


def _rising(wished: Sequence[float]) -> list[float]:
    """The rising numbers nearest to the wished ones: neighbours in the wrong order share their mean."""
    blocks: list[tuple[float, int]] = []
    for wish in wished:
        mean, size = wish, 1
        while blocks and blocks[-1][0] > mean:
            before, held = blocks.pop()
            mean, size = (before * held + mean * size) / (held + size), held + size
        blocks.append((mean, size))
    return [mean for mean, size in blocks for _ in range(size)]
