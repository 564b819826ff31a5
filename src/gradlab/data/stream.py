"""Content read once from start to end, hashed on the way, and refused when it is not what was published."""

import contextlib
import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gradlab.errors import DataUnavailableError

GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot grow a byte to more than this many: a longer promise in a header is a lie.
LARGEST_EXPANSION = 1032
BLOCK_BYTES = 1 << 20


class Readable(Protocol):
    """What a stream of bytes must offer: plain files, gzip files and members of archives do."""

    def readinto(self, buffer: Any, /) -> int | None:
        """Fills the buffer from its start and returns how many bytes it got; 0 at the end."""
        ...


class VerifiedStream:
    """One file's uncompressed content, read from start to end.

    Args:
        stream: where the bytes come from.
        where: the file, and the member inside it, for messages.
        pinned: "sha256:..." or "md5:..." of the whole content in hexadecimal; empty checks nothing.
        available: the most bytes that can still come.
        remedy: what the user can do when the content is damaged.
    """

    def __init__(self, stream: Readable, where: str, *, pinned: str, available: int, remedy: str) -> None:
        self.where = where
        self.offset = 0
        self.available = available
        self._stream = stream
        self._algorithm, _, self._pinned = pinned.partition(":")
        self._digest = hashlib.new(self._algorithm or "sha256", usedforsecurity=False)
        self._remedy = remedy

    def fill(self, target: np.ndarray) -> None:
        """Fills a contiguous uint8 array with the next bytes.

        Raises:
            DataUnavailableError: the content ends too early, or cannot be decompressed.
        """
        view = memoryview(target.reshape(-1).data)
        for start in range(0, len(view), BLOCK_BYTES):
            block = view[start : start + BLOCK_BYTES]
            filled = 0
            while filled < len(block):
                count = self._read_into(block[filled:])
                if not count:
                    ends = self.offset + filled
                    raise self.damaged(f"ends at byte {ends:,}, {len(view) - start - filled:,} bytes too early")
                filled += count
            self._digest.update(block)
            self.offset += filled

    def finish(self) -> None:
        """Checks that the content ends here and is what was pinned.

        Raises:
            DataUnavailableError: more bytes follow, or the digest is another one.
        """
        if self._read_into(memoryview(bytearray(1))):
            raise self.damaged(f"goes on after byte {self.offset:,}, where it should end")
        got = self._digest.hexdigest()
        if self._pinned and got != self._pinned:
            raise self.damaged(f"has {self._algorithm} {got}, expected {self._pinned}")

    def damaged(self, what: str) -> DataUnavailableError:
        """The error for this file, with what is wrong and what to do."""
        return DataUnavailableError(f"{self.where} is damaged: {what}{self._remedy and f'; {self._remedy}'}")

    def _read_into(self, view: memoryview) -> int:
        try:
            return self._stream.readinto(view) or 0
        except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
            raise self.damaged(f"cannot be read after byte {self.offset:,} ({error})") from error


def drain(source: VerifiedStream, size: int) -> Iterator[np.ndarray]:
    """Yields the next `size` bytes in blocks, each valid until the next one, then checks that they were all.

    Raises:
        DataUnavailableError: the content is shorter, longer or another than pinned.
    """
    buffer = np.empty(min(BLOCK_BYTES, size), dtype=np.uint8)
    for start in range(0, size, BLOCK_BYTES):
        block = buffer[: size - start]
        source.fill(block)
        yield block
    source.finish()


@contextlib.contextmanager
def open_content(
    path: Path, *, pinned: str = "", remedy: str = "", size: int | None = None
) -> Iterator[VerifiedStream]:
    """Opens a plain or gzipped file (told by its first bytes, not by its name) as a stream of its uncompressed content.

    Args:
        path: the file.
        pinned: "sha256:..." or "md5:..." of the uncompressed content; empty checks nothing.
        remedy: what the user can do when the content is damaged.
        size: bytes of the uncompressed content where they are known: no header is believed that promises more.

    Raises:
        DataUnavailableError: the file cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataUnavailableError(f"cannot open {path}: {error.strerror}{remedy and f'; {remedy}'}") from error
    with file:
        stored = path.stat().st_size
        packed = file.peek(len(GZIP_MAGIC))[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=file) if packed else file
        available = stored * LARGEST_EXPANSION if packed else stored
        available = available if size is None else min(available, size)
        yield VerifiedStream(stream, str(path), pinned=pinned, available=available, remedy=remedy)
