import gzip
import io

import numpy as np
import pytest

from gradlab.data.stream import VerifiedStream, drain, open_content
from gradlab.errors import DataUnavailableError
from tests.data.builders import md5, sha256

CONTENT = bytes(range(256)) * 20_000  # 5 MB: several blocks
REMEDY = "delete it"


class Drip(io.BytesIO):
    """A stream that gives a few bytes at a time, as sockets and pipes do."""

    def readinto(self, buffer):
        return super().readinto(memoryview(buffer)[:100_003])


def stream(content: bytes, pinned: str = "", kind=io.BytesIO) -> VerifiedStream:
    return VerifiedStream(kind(content), "a.bin", pinned=pinned, available=len(content), remedy=REMEDY)


@pytest.mark.parametrize("pin", [sha256, md5])
@pytest.mark.parametrize("kind", [io.BytesIO, Drip])
def test_gives_the_bytes_and_accepts_the_pinned_digest(pin, kind):
    source = stream(CONTENT, pin(CONTENT), kind)
    parts = [np.empty(7, np.uint8), np.empty((len(CONTENT) - 7) // 3, np.uint8)]
    parts.append(np.empty(len(CONTENT) - 7 - len(parts[1]), np.uint8))
    for part in parts:
        source.fill(part)
    source.finish()
    assert b"".join(part.tobytes() for part in parts) == CONTENT


@pytest.mark.parametrize("at", [0, 1 << 20, len(CONTENT) - 1])
def test_one_flipped_bit_is_seen(at):
    flipped = bytearray(CONTENT)
    flipped[at] ^= 1
    source = stream(bytes(flipped), sha256(CONTENT))
    source.fill(np.empty(len(CONTENT), np.uint8))
    with pytest.raises(
        DataUnavailableError, match=rf"a.bin is damaged: has sha256 \w+, expected {sha256(CONTENT)[7:]}; delete"
    ):
        source.finish()


def test_an_early_end_names_the_byte():
    with pytest.raises(DataUnavailableError, match="ends at byte 5,000,000, 120,000 bytes too early"):
        stream(CONTENT[:5_000_000]).fill(np.empty(len(CONTENT), np.uint8))


def test_further_bytes_are_refused():
    source = stream(CONTENT)
    source.fill(np.empty(10, np.uint8))
    with pytest.raises(DataUnavailableError, match="goes on after byte 10,"):
        source.finish()


def test_drain_yields_everything_in_blocks_and_finishes():
    blocks = [block.tobytes() for block in drain(stream(CONTENT, sha256(CONTENT)), len(CONTENT))]
    assert b"".join(blocks) == CONTENT
    assert len(blocks) == 5
    with pytest.raises(DataUnavailableError, match="expected"):
        list(drain(stream(CONTENT, sha256(b"")), len(CONTENT)))


class TestOpenContent:
    @pytest.mark.parametrize("name", ["a.gz", "a"])
    @pytest.mark.parametrize("packed", [True, False])
    def test_tells_gzip_by_its_bytes_not_by_its_name(self, tmp_path, name, packed):
        (tmp_path / name).write_bytes(gzip.compress(CONTENT) if packed else CONTENT)
        with open_content(tmp_path / name, pinned=sha256(CONTENT)) as source:
            assert b"".join(block.tobytes() for block in drain(source, len(CONTENT))) == CONTENT

    def test_a_missing_file_is_one_line(self, tmp_path):
        with (
            pytest.raises(DataUnavailableError, match=r"cannot open .*none: No such file or directory; fetch it"),
            open_content(tmp_path / "none", remedy="fetch it"),
        ):
            pass

    @pytest.mark.parametrize("spoil", ["cut", "checksum", "middle"])
    def test_damaged_gzip_is_one_line(self, tmp_path, spoil):
        packed = bytearray(gzip.compress(np.random.default_rng(0).bytes(100_000)))
        if spoil == "cut":
            del packed[-20:]
        else:
            packed[-6 if spoil == "checksum" else 2] ^= 0xFF
        (tmp_path / "a.gz").write_bytes(packed)
        with (
            open_content(tmp_path / "a.gz") as source,
            pytest.raises(DataUnavailableError, match=r"a.gz is damaged: (cannot be read after|ends at) byte"),
        ):
            list(drain(source, 100_000))
