"""Reader of IDX, the format of MNIST and Fashion-MNIST: a small header, then one array of unsigned bytes."""

import math
import struct

import numpy as np

from gradlab.data.stream import VerifiedStream

UNSIGNED_BYTE = 8
MOST_AXES = 4
# Far above the published files; with the bound on what can still come, a forged header never allocates more.
MOST_BYTES = 1 << 31


def read_idx(source: VerifiedStream) -> np.ndarray:
    """The array, uint8, that an IDX file holds.

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "The IDX file format".

    Raises:
        DataUnavailableError: the header is not IDX of unsigned bytes, promises more than can be there, or the content
            is shorter, longer or another than the header or the pinned digest says.
    """
    shape = _read_shape(source)
    size = math.prod(shape)
    left = source.available - source.offset
    if size > min(left, MOST_BYTES):
        sides = "x".join(map(str, shape))
        raise source.damaged(
            f"its header promises {sides} = {size:,} bytes, at most {min(left, MOST_BYTES):,} can be there"
        )
    if math.prod(filter(None, shape)) > MOST_BYTES:  # an array needs an address for each element of its other axes
        raise source.damaged(f"its header promises {'x'.join(map(str, shape))}, more than an empty array can span")
    array = np.empty(shape, dtype=np.uint8)
    source.fill(array)
    source.finish()
    return array


def _read_shape(source: VerifiedStream) -> tuple[int, ...]:
    magic = np.empty(4, dtype=np.uint8)
    source.fill(magic)
    zeros, kind, axes = bytes(magic[:2]), int(magic[2]), int(magic[3])
    if zeros != b"\0\0" or kind != UNSIGNED_BYTE or not 1 <= axes <= MOST_AXES:
        raise source.damaged(
            f"bytes 0 to 3 are {bytes(magic).hex(' ')}, IDX of unsigned bytes starts 00 00 08 and 1 to 4 axes"
        )
    sides = np.empty(4 * axes, dtype=np.uint8)
    source.fill(sides)
    return struct.unpack(f">{axes}I", sides.tobytes())
