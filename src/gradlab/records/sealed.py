"""A sealed file: its first line carries the SHA-256 of everything after it, so damage never passes for data."""

import hashlib
from pathlib import Path

from gradlab.errors import FileError
from gradlab.records.files import write_atomically

MAGIC = b"gradlab-sealed-1"
LONGEST_FIRST_LINE = 128


def write_sealed(path: Path, content: bytes) -> None:
    """Writes `content` under a first line of magic word, SHA-256 and length, atomically.

    Raises:
        FileError: the file cannot be written.
    """
    first_line = b"%s %s %d\n" % (MAGIC, hashlib.sha256(content).hexdigest().encode(), len(content))
    write_atomically(path, first_line + content)


def read_sealed(path: Path) -> bytes:
    """The content of a sealed file, proven to be what was written.

    Raises:
        FileError: the file cannot be read, is not a sealed file, is cut short or has changed.
    """
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    line, newline, content = sealed.partition(b"\n")
    fields = line.split(b" ")
    if not newline or len(line) > LONGEST_FIRST_LINE or len(fields) != 3 or fields[0] != MAGIC:
        raise FileError(f"{path} is damaged: its first line is not that of a sealed gradlab file")
    if fields[2] != b"%d" % len(content):
        raise FileError(f"{path} is damaged: {len(content):,} bytes, its first line promises another length")
    if hashlib.sha256(content).hexdigest().encode() != fields[1]:
        raise FileError(f"{path} is damaged: its SHA-256 does not match its content")
    return content
