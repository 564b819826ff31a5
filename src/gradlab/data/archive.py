"""Members of a published archive: read by name, never extracted blindly."""

import contextlib
import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from gradlab.data.published import Content
from gradlab.data.stream import VerifiedStream, drain
from gradlab.errors import DataUnavailableError

Progress = Callable[[str, int, int], None]


def check_digest(path: Path, pinned: str) -> None:
    """Checks a whole file against its pinned digest, "sha256:..." or "md5:...".

    Raises:
        ValueError: the digest is another one.
        OSError: the file cannot be read.
    """
    algorithm, _, expected = pinned.partition(":")
    with path.open("rb") as file:
        got = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if got != expected:
        raise ValueError(f"it has {algorithm} {got}, expected {expected}")


def read_members(
    archive: Path, folder: str, wanted: Sequence[Content], *, pinned: str, remedy: str
) -> Iterator[tuple[str, VerifiedStream]]:
    """Yields the wanted members of a gzipped tar archive, by name; nothing else in it is read or written anywhere.

    The archive's own digest is checked before it is opened, so the archive parser only ever sees published bytes.

    Args:
        archive: the file.
        folder: the folder inside the archive that holds the wanted members.
        wanted: the members' names, sizes and digests; they come in the archive's order.
        pinned: "sha256:..." or "md5:..." of the archive.
        remedy: what the user can do when it is damaged.

    Raises:
        DataUnavailableError: the archive is damaged, or a wanted member is missing, no plain file or of another size.
    """
    left = {f"{folder}/{content.name}": content for content in wanted}
    with _naming(archive, remedy):
        check_digest(archive, pinned)
        with tarfile.open(archive, "r|gz") as opened:
            for member in opened:
                content = left.pop(str(PurePosixPath(member.name)), None)
                if content is None:
                    continue
                stream = opened.extractfile(member) if member.isreg() else None
                if not isinstance(stream, io.BufferedReader) or member.size != content.size:
                    kind = f"{member.size:,} bytes" if stream else "no plain file"
                    raise tarfile.ReadError(f"{member.name} is {kind}, expected {content.size:,} bytes")
                where = f"{archive}, member {member.name},"
                yield (
                    content.name,
                    VerifiedStream(stream, where, pinned=content.digest, available=member.size, remedy=remedy),
                )
                if not left:
                    return
        raise tarfile.ReadError(f"it lacks {', '.join(left)}")


def unpack(
    archive: Path,
    folder: Path,
    wanted: Sequence[Content],
    *,
    pinned: str,
    remedy: str,
    progress: Progress | None = None,
) -> None:
    """Writes the wanted members of an archive into `folder`, named as in the archive, each whole or not at all.

    Args:
        archive: the file.
        folder: where the members go; it is made.
        wanted: the members' names, sizes and digests.
        pinned: "sha256:..." or "md5:..." of the archive.
        remedy: what the user can do when the archive is damaged.
        progress: called with name, bytes done and bytes in all.

    Raises:
        DataUnavailableError: the archive or a member is damaged.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {content.name: content.size for content in wanted}
    for name, source in read_members(archive, folder.name, wanted, pinned=pinned, remedy=remedy):
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                for block in drain(source, sizes[name]):
                    file.write(block.data)
                    if progress is not None:
                        progress(f"{folder.name}/{name}", source.offset, sizes[name])
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(folder / name)
        finally:
            Path(temporary).unlink(missing_ok=True)


@contextlib.contextmanager
def _naming(archive: Path, remedy: str) -> Iterator[None]:
    """Turns whatever an unreadable archive raises into one line that names it."""
    try:
        yield
    except Exception as error:  # over hostile bytes tarfile raises its own kinds, and TypeError and others beside them
        raise DataUnavailableError(f"{archive} is damaged: {error}; {remedy}") from error
