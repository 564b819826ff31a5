"""Reader of the CIFAR binary files: records of one or two label bytes and 3,072 pixel bytes."""

import numpy as np

from gradlab.data.stream import VerifiedStream

CHANNELS, SIDE = 3, 32
PIXEL_BYTES = CHANNELS * SIDE * SIDE
RECORDS_AT_ONCE = 1000


def read_records(
    source: VerifiedStream, pixels: np.ndarray, labels: np.ndarray, *, label_bytes: int, classes: int
) -> None:
    """Fills pixels and labels from one file, in its order.

    Args:
        source: the file's content.
        pixels: uint8 [images, 3, 32, 32], filled; the file stores red, green and blue planes row by row, as here.
        labels: int64 [images], filled.
        label_bytes: label bytes before each image; the last of them is used (CIFAR-100: coarse, then fine).
        classes: labels must lie below this.

    Source: A. Krizhevsky, "The CIFAR-10 dataset", section "Binary version".

    Raises:
        DataUnavailableError: the file holds fewer or more images, other bytes than pinned, or a label out of range.
    """
    # A small block stays in the processor's cache between reading, hashing and copying.
    block = np.empty((min(RECORDS_AT_ONCE, len(labels)), label_bytes + PIXEL_BYTES), dtype=np.uint8)
    for start in range(0, len(labels), RECORDS_AT_ONCE):
        records = block[: len(labels) - start]
        source.fill(records)
        pixels[start : start + len(records)] = records[:, label_bytes:].reshape(-1, CHANNELS, SIDE, SIDE)
        labels[start : start + len(records)] = records[:, label_bytes - 1]
    source.finish()
    wrong = np.flatnonzero(labels >= classes)
    if len(wrong):
        at = int(wrong[0]) * (label_bytes + PIXEL_BYTES) + label_bytes - 1
        raise source.damaged(f"byte {at:,} is label {int(labels[wrong[0]])}, labels lie below {classes}")
