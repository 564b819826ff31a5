"""Reader of the STL-10 binary files: images stored column by column, labels from 1."""

import numpy as np

from gradlab.data.stream import VerifiedStream

CHANNELS, SIDE = 3, 96
IMAGES_AT_ONCE = 100


def read_pixels(source: VerifiedStream, pixels: np.ndarray) -> None:
    """Fills pixels, uint8 [images, 3, 96, 96], from one file.

    The file stores each colour plane column by column, so width comes before height there.

    Source: A. Coates, H. Lee, A. Ng, "STL-10 dataset", section "Binary files".

    Raises:
        DataUnavailableError: the file holds fewer or more images, or other bytes than pinned.
    """
    block = np.empty((min(IMAGES_AT_ONCE, len(pixels)), CHANNELS, SIDE, SIDE), dtype=np.uint8)
    for start in range(0, len(pixels), IMAGES_AT_ONCE):
        images = block[: len(pixels) - start]
        source.fill(images)
        pixels[start : start + len(images)] = images.transpose(0, 1, 3, 2)
    source.finish()


def read_labels(source: VerifiedStream, count: int, *, classes: int) -> np.ndarray:
    """The labels, int64 [count], counted from 0 (the file counts from 1).

    Raises:
        DataUnavailableError: the file holds fewer or more labels, other bytes than pinned, or a label out of range.
    """
    stored = np.empty(count, dtype=np.uint8)
    source.fill(stored)
    source.finish()
    wrong = np.flatnonzero((stored < 1) | (stored > classes))
    if len(wrong):
        raise source.damaged(f"byte {int(wrong[0]):,} is label {int(stored[wrong[0]])}, labels lie in 1 to {classes}")
    return stored.astype(np.int64) - 1
