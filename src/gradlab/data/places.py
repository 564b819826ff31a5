"""Where datasets lie on this machine: the data root, and the layouts accepted under it."""

import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gradlab.data.published import Content, Published
from gradlab.data.stream import VerifiedStream, open_content
from gradlab.errors import DataUnavailableError

ROOT_VARIABLE = "GRADLAB_DATA"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dataset was found: its files by content name, or the one archive that holds them."""

    files: dict[str, Path]
    archive: Path | None = None


def data_root(root: str | Path | None = None) -> Path:
    """The folder under which datasets lie: the argument, else `GRADLAB_DATA`, else the user's cache folder."""
    given = root or os.environ.get(ROOT_VARIABLE)
    if given:
        return Path(given).expanduser()
    import pooch

    return Path(pooch.os_cache("gradlab"))


def find(published: Published, root: Path, needed: Sequence[Content] = ()) -> Place | None:
    """Where a dataset lies under the root, or None if no accepted layout is complete. Nothing is read or checked.

    Args:
        published: the dataset.
        root: the data root.
        needed: the contents that must be there; all of the dataset's when empty.
    """
    for folder in published.folders:
        files = {content.name: _file(root / folder, content.name) for content in needed or published.contents}
        found = {name: path for name, path in files.items() if path}
        if len(found) == len(files):
            return Place(found)
    if published.packed and (archive := root / published.downloads[0].path).is_file():
        return Place({}, archive)
    return None


def read_contents(
    published: Published, place: Place, needed: Sequence[Content] = ()
) -> Iterator[tuple[str, VerifiedStream]]:
    """Opens one content after the other and yields its name and its stream, to be read to the end before the next.

    Files come in the dataset's order, members of an archive in the archive's.

    Raises:
        DataUnavailableError: a file or archive is missing or damaged.
    """
    wanted = needed or published.contents
    remedy = f"delete it and run `gradlab data fetch {published.name}`"
    if place.archive is not None:
        pinned = published.downloads[0].digest
        yield from read_members(place.archive, published.folders[0], wanted, pinned=pinned, remedy=remedy)
        return
    for content in wanted:
        with open_content(place.files[content.name], pinned=content.digest, remedy=remedy) as source:
            yield content.name, source


def read_members(
    archive: Path, folder: str, wanted: Sequence[Content], *, pinned: str, remedy: str
) -> Iterator[tuple[str, VerifiedStream]]:
    """Yields the wanted members of a gzipped tar archive, by name; nothing else in it is looked at or written anywhere.

    The archive's own digest is checked before it is opened, so the archive parser only ever sees published bytes.

    Raises:
        DataUnavailableError: the archive is damaged, or a wanted member is missing, not a plain file or of another size.
    """
    _check_whole(archive, pinned=pinned, remedy=remedy)
    left = {f"{folder}/{content.name}": content for content in wanted}
    broken = (OSError, EOFError, zlib.error, tarfile.TarError)
    try:
        opened = tarfile.open(archive, "r|gz")
    except broken as error:
        raise DataUnavailableError(f"{archive} is damaged: {error}; {remedy}") from error
    with opened:
        members = iter(opened)
        while left:
            try:
                member = next(members, None)
            except broken as error:
                raise DataUnavailableError(f"{archive} is damaged: {error}; {remedy}") from error
            if member is None:
                raise DataUnavailableError(f"{archive} is damaged: it lacks {', '.join(left)}; {remedy}")
            content = left.pop(str(PurePosixPath(member.name)), None)
            if content is None:
                continue
            stream = opened.extractfile(member) if member.isreg() else None
            if stream is None or member.size != content.size:
                what = f"{member.size:,} bytes, expected {content.size:,}" if stream else "not a plain file"
                raise DataUnavailableError(f"{archive} is damaged: {member.name} is {what}; {remedy}")
            where = f"{archive}, member {member.name},"
            yield (
                content.name,
                VerifiedStream(stream, where, pinned=content.digest, available=member.size, remedy=remedy),
            )


def missing(published: Published, root: Path, reason: str) -> DataUnavailableError:
    """The error for a dataset that is not under the root: what to run, or which files to put where."""
    names = ", ".join(download.path for download in published.downloads)
    home = published.downloads[0].urls[0].rpartition("/")[0]
    return DataUnavailableError(
        f"{published.name} is not under {root} ({reason}): run `gradlab data fetch {published.name}` with a network, "
        f"or put {names} (from {home}/) under {root}"
    )


def _file(folder: Path, name: str) -> Path | None:
    """The gzipped file goes first: it is what is fetched, so a damaged plain one does not hide a new copy."""
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def _check_whole(path: Path, *, pinned: str, remedy: str) -> None:
    algorithm, _, expected = pinned.partition(":")
    try:
        with path.open("rb") as file:
            got = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise DataUnavailableError(f"cannot read {path}: {error.strerror}; {remedy}") from error
    if got != expected:
        raise DataUnavailableError(f"{path} is damaged: it has {algorithm} {got}, expected {expected}; {remedy}")
