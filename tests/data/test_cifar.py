import io

import numpy as np
import pytest

from gradlab.data.cifar import read_records
from gradlab.data.stream import VerifiedStream
from gradlab.errors import DataUnavailableError
from tests.data.builders import cifar_arrays, cifar_records


def read(content: bytes, count: int, *, label_bytes: int = 1, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    pixels, labels = np.empty((count, 3, 32, 32), np.uint8), np.empty(count, np.int64)
    source = VerifiedStream(io.BytesIO(content), "b.bin", pinned="", available=len(content), remedy="")
    read_records(source, pixels, labels, label_bytes=label_bytes, classes=classes)
    return pixels, labels


def test_planes_are_red_green_blue_row_by_row():
    image = bytearray(3072)
    image[0], image[1], image[32], image[1024], image[3071] = 1, 2, 3, 4, 5
    pixels, labels = read(b"\x06" + bytes(image), 1)
    assert labels.tolist() == [6]
    found = {tuple(at): int(pixels[tuple(at)]) for at in np.argwhere(pixels)}
    assert found == {(0, 0, 0, 0): 1, (0, 0, 0, 1): 2, (0, 0, 1, 0): 3, (0, 1, 0, 0): 4, (0, 2, 31, 31): 5}


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 2500])
def test_every_record_comes_back_across_block_borders(count):
    labels, pixels = cifar_arrays(0, count)
    found = read(cifar_records(labels, pixels), count)
    assert (found[0] == pixels).all()
    assert (found[1] == labels).all()


def test_the_fine_label_is_the_second_byte():
    labels, pixels = cifar_arrays(0, 5, classes=100)
    found = read(cifar_records(labels + 90, pixels, coarse=True), 5, label_bytes=2, classes=100)
    assert found[1].tolist() == [90, 91, 92, 93, 94]


def test_a_label_out_of_range_names_its_byte():
    labels, pixels = cifar_arrays(0, 5)
    labels[3] = 10
    with pytest.raises(DataUnavailableError, match="byte 9,219 is label 10, labels lie below 10"):
        read(cifar_records(labels, pixels), 5)


@pytest.mark.parametrize(("change", "message"), [(-1, "ends at byte 15,364"), (1, "goes on after byte 15,365")])
def test_another_length_is_refused(change, message):
    content = cifar_records(*cifar_arrays(0, 5))
    with pytest.raises(DataUnavailableError, match=message):
        read((content + b"x")[: len(content) + change], 5)
