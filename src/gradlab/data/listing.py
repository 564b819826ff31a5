"""`catalogue`: which datasets there are, how big they are, and which of them are here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradlab.data import digits
from gradlab.data.places import data_root, find
from gradlab.data.published import PUBLISHED, Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What there is to know about a dataset before it is loaded.

    Args:
        name: what `load` calls it.
        title: its full name.
        classes: class names.
        shape: channels, height, width.
        train: images in the train split.
        validation: images in the validation split.
        test: images in the test split.
        unlabelled: images without labels.
        download_bytes: what `fetch` transfers; 0 for what comes with the package.
        disk_bytes: what lies under the data root afterwards.
        licence: terms in a few words.
        url: the dataset's own page.
        present: whether all its files are under the root; their content is checked when they are loaded.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    train: int
    validation: int
    test: int
    unlabelled: int = 0
    download_bytes: int
    disk_bytes: int
    licence: str
    url: str
    present: bool


def catalogue(root: str | Path | None = None) -> list[Entry]:
    """Every dataset with a name, smallest first; folders and dataset objects can be loaded too.

    Args:
        root: the data root; else `GRADLAB_DATA`, else the user's cache folder.
    """
    base = data_root(root)
    own = Entry(
        name="digits",
        title="Handwritten digits of the UCI repository, 8x8",
        classes=digits.CLASSES,
        shape=digits.SHAPE,
        train=digits.COUNT - digits.VALIDATION - digits.TEST,
        validation=digits.VALIDATION,
        test=digits.TEST,
        download_bytes=0,
        disk_bytes=0,
        licence="CC BY 4.0",
        url="https://doi.org/10.24432/C50P49",
        present=True,
    )
    return [own, *(_entry(published, base) for published in PUBLISHED.values())]


def first_present(names: Sequence[str], root: str | Path | None = None) -> str:
    """The first of some datasets whose files are all here; the last one, which may be fetched, where none are.

    Args:
        names: in the order of preference, at least one.
        root: the data root; else `GRADLAB_DATA`, else the user's cache folder.
    """
    here = {entry.name for entry in catalogue(root) if entry.present}
    return next((name for name in names if name in here), names[-1])


def _entry(published: Published, root: Path) -> Entry:
    downloaded = sum(download.size for download in published.downloads)
    return Entry(
        name=published.name,
        title=published.title,
        classes=published.classes,
        shape=published.shape,
        train=published.images - published.validation,
        validation=published.validation,
        test=published.test,
        unlabelled=published.unlabelled,
        download_bytes=downloaded,
        disk_bytes=sum(content.size for content in published.contents) if published.packed else downloaded,
        licence=published.licence,
        url=published.url,
        present=find(published, root) is not None,
    )
