"""Turns arrays of any numbers into pictures: shades of grey, and heat laid over a picture."""

import numpy as np
from PIL import Image

from gradlab.report.palette import WRONG

STRONGEST = 0.75
"""The opacity of the hottest place."""


def shades(maps: np.ndarray) -> np.ndarray:
    """Each map stretched from black (its least number) to white (its largest); a flat one is grey.

    Args:
        maps: [N, height, width], or [N, height, width, 3], whose colours are stretched together.

    Returns:
        uint8 of the same shape.
    """
    axes = tuple(range(1, maps.ndim))
    low, high = maps.min(axes, keepdims=True), maps.max(axes, keepdims=True)
    flat = high == low
    stretched = np.where(flat, 0.5, (maps - low) / np.where(flat, 1, high - low))
    return np.round(255 * stretched).astype(np.uint8)


def heated(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A picture with orange laid over its hot places, the stronger the hotter.

    Args:
        picture: uint8 [height, width] or [height, width, 3].
        heat: [rows, columns] of at least 0, enlarged to the picture; all 0 leaves the picture as it is.

    Returns:
        uint8 [height, width, 3].
    """
    grey = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    largest = heat.max()
    share = (heat / largest if largest > 0 else np.zeros_like(heat)).astype(np.float32)
    height, width = grey.shape[:2]
    large = np.asarray(Image.fromarray(share).resize((width, height), Image.Resampling.BILINEAR))
    opacity = STRONGEST * large[..., None]
    colour = np.frombuffer(bytes.fromhex(WRONG.removeprefix("#")), np.uint8)
    return np.round((1 - opacity) * grey + opacity * colour).astype(np.uint8)
