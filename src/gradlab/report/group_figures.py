"""What a group does to pictures, to grids and to kernels, drawn."""

from collections.abc import Sequence

import numpy as np

from gradlab.report.blocks import Pictures
from gradlab.report.mosaic import mosaic
from gradlab.report.plane_charts import HeatMaps

SIDE, DOT, TAPS = 224, 4.0, 7
"""Pixels of a drawn picture and of a dot's radius; dots along a side of a grid."""
WIDEST = 4
"""Pictures side by side at most, so that their dots can be told apart."""
REACH = 0.62
"""Half the side of a grid as a share of half the picture's, so that a grid stays inside however it is turned."""
PLAIN, MARKED, FIRST = (86, 156, 214), (240, 90, 40), (250, 190, 60)


def moved_grids(image: np.ndarray, matrices: np.ndarray, names: Sequence[str]) -> Pictures:
    """A picture after every element of a group acted on it, and below it where the numbers come from.

    Args:
        image: uint8 [height, width].
        matrices: what each element does to the plane, [order, 2, 2], y upwards.
        names: one for each element.
    """
    grid, colours = _grid(), _marked_corner()
    after = [_dotted(_turned(image, matrix), grid @ matrix.T, colours) for matrix in matrices]
    before = [_dotted(_turned(image, np.eye(2)), grid @ np.linalg.inv(matrix).T, colours) for matrix in matrices]
    captions = [f"after {name}" for name in names] + [f"read for {name}" for name in names]
    return Pictures(
        np.stack(after + before), captions, "A picture and its grid under every element",
        columns=min(len(names), WIDEST),
        caption="Above: the picture after the element acted, and its grid, moved along; one corner is marked. Below: "
                "the picture as it was, and the places where the grid of the moved picture reads it: those that the "
                "inverse element gives.",
    )  # fmt: skip


def lifted_grids(matrices: np.ndarray, product: np.ndarray, names: Sequence[str]) -> Pictures:
    """The grid of a function on the plane and the group under every element: it turns, and moves along the group.

    Args:
        matrices: what each element does to the plane, [order, 2, 2], y upwards.
        product: int [order, order], the index of g h at [g, h].
        names: one for each element.
    """
    order = len(matrices)
    pictures = []
    for matrix, moved in zip(matrices, product, strict=True):
        places, colours = [], []
        for element in range(order):
            grid = _grid() @ matrix.T
            level = 0.8 - 1.6 * moved[element] / max(order - 1, 1)
            # Seen from aside: depth is drawn upwards, flattened, so that the sheets of the group lie apart.
            places.append(np.stack([grid[:, 0] + 0.3 * grid[:, 1], 0.5 / order * grid[:, 1] + level * 0.85], 1))
            colours.append(_marked_corner(PLAIN if element else FIRST))
        canvas = np.zeros((SIDE * 3 // 2, SIDE, 3), np.uint8)
        pictures.append(_dotted(canvas, np.concatenate(places), np.concatenate(colours), radius=2.5))
    return Pictures(
        np.stack(pictures), list(names), "The grid of the plane and the group under every element",
        columns=min(order, WIDEST),
        caption="The elements of the group lie below each other, the first at the top; each has a sheet of the plane. "
                "An element turns every sheet and moves it to the place of the product: the first element's sheet, "
                "yellow, lands at the element that acted.",
    )  # fmt: skip


def kernel_copies(kernels: np.ndarray, names: Sequence[str], title: str) -> HeatMaps:
    """A kernel on the group and its copies, the part of the first element framed in each.

    Args:
        kernels: [order, order * size, size], the elements of the group below each other.
        names: one for each copy.
        title: what the chart shows.
    """
    size = kernels.shape[2]
    return HeatMaps(
        list(kernels), list(names), title, label="weight", frames=[(place * size, 0, size, size)
                                                                  for place in range(len(kernels))],
        caption="Every column is a copy of one kernel; the elements of the group lie below each other. From copy to "
                "copy each part turns and moves along the group: the twist and the shift. The frame follows the part "
                "of the first element.",
    )  # fmt: skip


def maps_at_angles(image: np.ndarray, maps: np.ndarray, angles: Sequence[float], title: str, kind: str) -> Pictures:
    """An image at several angles, and below each what a layer makes of it.

    Args:
        image: uint8 [angles, height, width].
        maps: uint8 [angles, maps, smaller height, smaller width].
        angles: in degrees.
        title: what the pictures show.
        kind: what the maps of one image are, such as "channels".
    """
    columns = [mosaic(np.concatenate([whole[None], _as_large(parts, whole)]), 1)
               for whole, parts in zip(image, maps, strict=True)]  # fmt: skip
    return Pictures(
        np.stack(columns), [f"{angle:g}°" for angle in angles], title, columns=len(angles),
        caption=f"The image, and below it the first {maps.shape[1]} {kind} of the third convolution.",
    )  # fmt: skip


def _as_large(maps: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The maps [N, height, width] in the middle of black pictures of the image's size."""
    canvas = np.zeros((len(maps), *image.shape), np.uint8)
    top, left = ((large - small) // 2 for large, small in zip(image.shape, maps.shape[1:], strict=True))
    canvas[:, top : top + maps.shape[1], left : left + maps.shape[2]] = maps
    return canvas


def _grid() -> np.ndarray:
    """Places [TAPS * TAPS, 2] of a grid around the origin, row by row from the top left corner."""
    axis = np.linspace(-REACH, REACH, TAPS)
    x, y = np.meshgrid(axis, -axis)
    return np.stack([x.ravel(), y.ravel()], 1)


def _marked_corner(others: tuple[int, int, int] = PLAIN) -> np.ndarray:
    """A colour for each place of the grid, the first one's different."""
    return np.array([MARKED] + [others] * (TAPS**2 - 1), np.uint8)


def _turned(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The picture as an element leaves it, [SIDE, SIDE, 3]; the nearest pixel is taken, black from outside."""
    axis = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    source = np.stack([x, y], -1) @ np.linalg.inv(matrix).T
    height, width = image.shape
    column = np.floor((source[..., 0] + 1) / 2 * width).astype(int)
    row = np.floor((1 - source[..., 1]) / 2 * height).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    read = np.where(inside, image[row.clip(0, height - 1), column.clip(0, width - 1)], 0)
    return read[..., None].repeat(3, axis=-1).astype(np.uint8)


def _dotted(ground: np.ndarray, places: np.ndarray, colours: np.ndarray, radius: float = DOT) -> np.ndarray:
    """The picture with discs at places [N, 2] between -1 and 1, y upwards; the first one is larger and on top."""
    height, width = ground.shape[:2]
    drawn = ground.astype(float)
    rows, columns = np.mgrid[:height, :width] + 0.5
    for place in reversed(range(len(places))):
        x, y = (places[place, 0] + 1) / 2 * width, (1 - places[place, 1]) / 2 * height
        size = radius * (1.0 if (colours[place] != MARKED).any() else 1.7)
        cover = np.clip(size + 0.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None]
        drawn = drawn * (1 - cover) + colours[place] * cover
    return drawn.round().astype(np.uint8)
