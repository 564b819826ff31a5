"""Many small pictures as one large one."""

import numpy as np


def mosaic(pictures: np.ndarray, columns: int, *, gap: int = 1, least: int = 28) -> np.ndarray:
    """Pictures [N, height, width] in rows of `columns`, as one picture; grey gaps between them, none around them.

    Args:
        pictures: uint8, a last row may be short.
        columns: pictures side by side.
        gap: pixels between two pictures.
        least: pictures of fewer pixels a side are enlarged, by whole factors, towards this size, so that smoothing
            leaves their pixels apart.
    """
    times = max(1, least // max(pictures.shape[1:]))
    large = pictures.repeat(times, axis=1).repeat(times, axis=2)
    count, height, width = large.shape
    rows = -(-count // columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), 128, np.uint8)
    for place, picture in enumerate(large):
        top, left = (height + gap) * (place // columns), (width + gap) * (place % columns)
        whole[top : top + height, left : left + width] = picture
    return whole
