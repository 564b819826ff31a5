"""Where datasets lie on this machine: the data root, and the layouts accepted under it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradlab.data.archive import read_members
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
        with open_content(place.files[content.name], pinned=content.digest, remedy=remedy, size=content.size) as source:
            yield content.name, source


def missing(published: Published, root: Path, reason: str) -> DataUnavailableError:
    """The error for a dataset that is not under the root: what to run, or which files to put where."""
    if published.pickled and (root / published.pickled).exists():
        reason = f"{reason}; {published.pickled} holds pickles, which gradlab never reads"
    names = ", ".join(download.path for download in published.downloads)
    home = published.downloads[0].urls[0].rpartition("/")[0]
    return DataUnavailableError(
        f"{published.name} is not under {root} ({reason}): run `gradlab data fetch {published.name}` with a network, "
        f"or put {names} (from {home}/) under {root}, or use --data digits, which needs neither"
    )


def _file(folder: Path, name: str) -> Path | None:
    """The gzipped file goes first: it is what is fetched, so a damaged plain one does not hide a new copy."""
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)
