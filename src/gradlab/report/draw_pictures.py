"""Turns arrays of pixels into pictures, and a set of them into one sheet."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from gradlab.report.blocks import Pictures
from gradlab.report.sheet import Sheet, broken

_LETTERS = 10.5
"""Size of the captions' letters in pixels."""
_SMALL = 64
"""Pictures below so many pixels a side are shown with their pixels as squares rather than smoothed."""


def picture_png(pixels: np.ndarray) -> bytes:
    """One picture, uint8 [height, width] or [height, width, 3], as PNG of as many pixels."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def is_small(pictures: Pictures) -> bool:
    """Whether the pictures are so small that their pixels should stay sharp when enlarged."""
    return max(pictures.images.shape[1:3]) < _SMALL


def draw_pictures(pictures: Pictures, width: float, colours: Mapping[str, str]) -> Sheet:
    """Returns one sheet with all pictures and their captions, `width` pixels wide."""
    columns = max(1, min(pictures.columns, len(pictures.images)))
    step = width / columns
    side = step - 12
    tall = side * pictures.images.shape[1] / pictures.images.shape[2]
    captions = [broken(caption, step - 4, _LETTERS) for caption in pictures.captions]
    row = tall + 12 + 14 * max(map(len, captions))
    sheet = Sheet(width, row * -(-len(pictures.images) // columns), colours)
    for place, (pixels, lines) in enumerate(zip(pictures.images, captions, strict=True)):
        left, top = 6 + step * (place % columns), row * (place // columns)
        axes = sheet.axes(left, top, left + side, top + tall)
        smoothing = "nearest" if is_small(pictures) else "antialiased"
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation=smoothing, aspect="auto")
        axes.set_axis_off()
        for number, line in enumerate(lines):
            style = {"ha": "center", "fontsize": _LETTERS}
            sheet.text(left + side / 2, top + tall + 10 + 14 * number, line, "ink", **style)
    return sheet
