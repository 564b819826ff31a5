import io

import numpy as np
import pytest

from gradlab.data.stl10 import read_labels, read_pixels
from gradlab.data.stream import VerifiedStream
from gradlab.errors import DataUnavailableError


def source(content: bytes) -> VerifiedStream:
    return VerifiedStream(io.BytesIO(content), "x.bin", pinned="", available=len(content), remedy="")


def test_columns_come_first_in_the_file():
    image = bytearray(3 * 96 * 96)
    image[1] = 1  # the second byte is one row down, in the first column
    image[96] = 2  # a column takes 96 bytes
    image[2 * 96 * 96 + 5 * 96 + 7] = 3
    pixels = np.empty((1, 3, 96, 96), np.uint8)
    read_pixels(source(bytes(image)), pixels)
    found = {tuple(at): int(pixels[tuple(at)]) for at in np.argwhere(pixels)}
    assert found == {(0, 0, 1, 0): 1, (0, 0, 0, 1): 2, (0, 2, 7, 5): 3}


@pytest.mark.parametrize("count", [1, 100, 205])
def test_every_image_comes_back_across_block_borders(count):
    upright = np.random.default_rng(0).integers(0, 256, (count, 3, 96, 96), dtype=np.uint8)
    pixels = np.empty_like(upright)
    read_pixels(source(upright.transpose(0, 1, 3, 2).tobytes()), pixels)
    assert (pixels == upright).all()


def test_a_cut_file_is_refused():
    with pytest.raises(DataUnavailableError, match="ends at byte 27,647, 1 bytes too early"):
        read_pixels(source(bytes(27_647)), np.empty((1, 3, 96, 96), np.uint8))


def test_labels_count_from_one_in_the_file():
    assert read_labels(source(bytes([1, 10, 3])), 3, classes=10).tolist() == [0, 9, 2]


@pytest.mark.parametrize(("stored", "message"), [([1, 0], "byte 1 is label 0"), ([11, 1], "byte 0 is label 11")])
def test_a_label_out_of_range_names_its_byte(stored, message):
    with pytest.raises(DataUnavailableError, match=message):
        read_labels(source(bytes(stored)), 2, classes=10)
