"""Files that are there whole or not at all."""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from gradlab.errors import FileError

PARTS = ".*.part"
"""What files are called while they are written."""


def write_atomically(path: Path, content: bytes) -> None:
    """Writes `content` to `path` so that a crash at any moment leaves the old file or the new one.

    The bytes go to a temporary file beside the target, reach the disk, take the target's name in one rename,
    and then the folder's own entry reaches the disk.

    Raises:
        FileError: the folder is missing, read-only or full. Nothing is left behind.
    """
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise write_failed(path, error, needed=len(content)) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def write_json(path: Path, document: Any) -> None:
    """Writes a JSON document atomically, readable by people and byte-identical for equal content."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    # A path on the command line may hold bytes that are no UTF-8; JSON has an escape for what Python makes of them.
    write_atomically(path, (text + "\n").encode("utf-8", "backslashreplace"))


def append_line(path: Path, line: str) -> None:
    """Appends one line of text, handed to the operating system before the call returns.

    Raises:
        FileError: the file cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise write_failed(path, error, needed=len(line) + 1) from error


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, unless it is there.

    Raises:
        FileError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {path}: {error.strerror}; choose another --out") from error


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal.

    Raises:
        FileError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error


def write_failed(path: Path, error: OSError, *, needed: int) -> FileError:
    """The one-line error for a failed write, naming the path, the reason and the bytes needed."""
    reason = error.strerror or str(error)
    return FileError(
        f"cannot write {path}: {reason} ({needed:,} bytes needed); free some space or choose another place"
    )


def _sync_folder(folder: Path) -> None:
    # Not every file system lets a folder be opened or synced; the rename itself has already happened.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
