import gzip
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gradlab.data.idx import read_idx
from gradlab.data.stream import LARGEST_EXPANSION, VerifiedStream, open_content
from gradlab.errors import DataUnavailableError
from tests.data.builders import idx


def read(content: bytes, available: int | None = None) -> np.ndarray:
    size = len(content) if available is None else available
    return read_idx(VerifiedStream(io.BytesIO(content), "a.idx", pinned="", available=size, remedy=""))


def test_a_file_made_by_hand():
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 11, 12, 13, 14, 255])
    assert read(content).tolist() == [[10, 11, 12], [13, 14, 255]]


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6)))
def test_round_trip(array):
    found = read(idx(array))
    assert found.shape == array.shape
    assert (found == array).all()


@pytest.mark.parametrize(
    "head", [b"\x1f\x00\x08\x01", b"\0\0\x0d\x01", b"\0\0\x08\x00", b"\0\0\x08\x05", b"<htm", b"\x01\x00\x08\x01"]
)
def test_refuses_what_is_not_idx_of_bytes(head):
    with pytest.raises(DataUnavailableError, match=r"a.idx is damaged: bytes 0 to 3 are \w\w"):
        read(head + struct.pack(">I", 2) + b"ab")


@pytest.mark.parametrize("content", [b"", b"\0\0", b"\0\0\x08\x03", b"\0\0\x08\x03\0\0\0\x01\0\0"])
def test_a_cut_header_is_named(content):
    with pytest.raises(DataUnavailableError, match=r"ends at byte \d+"):
        read(content)


@pytest.mark.parametrize("sides", [(4_000_000_000,), (60_000, 28, 29), (4_000_000_000,) * 4, (65_536, 65_536)])
def test_a_forged_header_allocates_nothing(sides):
    content = bytes([0, 0, 8, len(sides)]) + struct.pack(f">{len(sides)}I", *sides) + bytes(1000)
    tracemalloc.start()
    with pytest.raises(DataUnavailableError, match=r"its header promises .* bytes, at most 1,000 can be there"):
        read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("sides", [(0, 4_000_000_000, 4_000_000_000, 4_000_000_000), (65_536, 0, 65_536)])
def test_an_empty_array_that_spans_more_than_memory_is_refused(sides):
    content = bytes([0, 0, 8, len(sides)]) + struct.pack(f">{len(sides)}I", *sides)
    with pytest.raises(DataUnavailableError, match=r"its header promises .*, more than an empty array can span"):
        read(content)


def test_a_forged_header_in_gzip_is_bounded_by_what_deflate_can_reach(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 2**31 - 1) + bytes(100)))
    with open_content(tmp_path / "a.gz") as source, pytest.raises(DataUnavailableError, match="its header promises"):
        read_idx(source)


def test_deflate_does_not_reach_the_bound():
    # The bound must never refuse a true file: the most compressible one stays below it.
    assert 10_000_000 / len(zlib.compress(bytes(10_000_000), 9)) < LARGEST_EXPANSION


def test_a_bomb_is_read_no_further_than_its_header_says(tmp_path):
    header = bytes([0, 0, 8, 1]) + struct.pack(">I", 1000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(header + bytes(300_000_000), compresslevel=1))
    with (
        open_content(tmp_path / "bomb.gz") as source,
        pytest.raises(DataUnavailableError, match="goes on after byte 1,008"),
    ):
        read_idx(source)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_files_raise_nothing_else(data):
    content = bytearray(idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(0, len(content)))]) + data.draw(st.binary(max_size=4))
    try:
        array = read(content)
    except DataUnavailableError:
        return
    assert idx(array) == content
