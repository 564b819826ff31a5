"""`load`: any dataset, by its name, as splits in memory."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from gradlab.data import cifar, stl10
from gradlab.data.archive import Progress
from gradlab.data.decode import Framing
from gradlab.data.digits import load_digits
from gradlab.data.download import fetch
from gradlab.data.folder import IMAGE_MEMORY, load_folder
from gradlab.data.idx import read_idx
from gradlab.data.images import UNLABELLED, Images, Splits
from gradlab.data.partition import carve, proportional
from gradlab.data.places import Place, data_root, find, missing, read_contents
from gradlab.data.published import PUBLISHED, Content, Published
from gradlab.data.stream import VerifiedStream
from gradlab.errors import UsageError, unknown

NAMES = ("digits", *PUBLISHED)
UNLABELLED_FILE = "unlabeled_X.bin"

Contents = Iterator[tuple[str, VerifiedStream]]
Parts = tuple[Images, Images, Images | None]


def refuse_unknown(name: str) -> None:
    """Nothing where `load` knows a dataset of this name.

    Raises:
        UsageError: it does not.
    """
    kind, _, path = name.partition(":")
    if name in NAMES or (kind == "folder" and path):
        return
    if Path(name).is_dir():
        raise UsageError(f"unknown dataset '{name}', which is a folder here: write folder:{name}")
    raise unknown("dataset", name, (*NAMES, "folder:PATH"), where="gradlab data list")


def load(
    name: str,
    *,
    root: str | Path | None = None,
    offline: bool = False,
    split_seed: int = 42,
    download: bool = True,
    progress: Progress | None = None,
    image_size: int | None = None,
    framing: Framing = "crop",
    unlabelled: bool = True,
    image_memory: float = IMAGE_MEMORY,
) -> Splits:
    """The dataset of this name as splits in memory.

    Args:
        name: "digits" (needs no download), "mnist", "fashion_mnist", "cifar10", "cifar100", "stl10", or "folder:PATH"
            for a folder of image files, see `load_folder`.
        root: the data root; else `GRADLAB_DATA`, else the user's cache folder.
        offline: never use the network; `GRADLAB_OFFLINE=1` says the same.
        split_seed: which images are held out for validation; the published test images are the test split.
        download: whether a missing dataset may be fetched.
        progress: told about each file that is fetched, see `fetch`.
        image_size: height and width for the images of a folder; published datasets keep theirs.
        framing: how the images of a folder become square, see `load_folder`.
        unlabelled: whether to read the unlabelled images too, where there are some (STL-10: 2.8 GB).
        image_memory: gigabytes above which the images of a folder stay in their files, see `load_folder`.

    Raises:
        UsageError: no dataset has this name, or `image_size` or `framing` is given for a published one.
        DataUnavailableError: its files are missing, damaged or out of reach.
    """
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        return load_folder(
            path, split_seed=split_seed, image_size=image_size, framing=framing, image_memory=image_memory
        )
    refuse_unknown(name)
    if image_size is not None:
        raise UsageError(f"image_size is for folders of images, {name} keeps its own: leave it out")
    if framing != "crop":
        raise UsageError(f"framing is for folders of images, those of {name} are square: leave out --framing")
    if name == "digits":
        return load_digits(split_seed=split_seed)
    published = PUBLISHED[name]
    base = data_root(root)
    needed = [content for content in published.contents if unlabelled or content.name != UNLABELLED_FILE]
    place = find(published, base, needed)
    if place is None:
        if not download:
            raise missing(published, base, "downloading was switched off")
        fetch(name, root=base, offline=offline, progress=progress)
        place = find(published, base, needed)
    if place is None:
        raise missing(published, base, "another program has just removed it")
    return load_published(published, place, needed, split_seed=split_seed)


def load_published(published: Published, place: Place, needed: Sequence[Content], *, split_seed: int) -> Splits:
    """Reads a published dataset from where it was found, checks every file and holds out the validation split.

    Raises:
        DataUnavailableError: a file is missing or damaged.
    """
    labelled, test, rest = READERS[published.layout](published, read_contents(published, place, needed))
    quotas = proportional(labelled.labels.numpy(), published.validation)
    train, validation = carve(labelled, quotas, split_seed)
    return Splits(
        train=train,
        validation=validation,
        test=test,
        unlabelled=rest,
        name=published.name,
        normalisation=published.normalisation,
    )


def _read_idx_set(published: Published, contents: Contents) -> Parts:
    arrays = {name: read_idx(source) for name, source in contents}
    images, labels, test_images, test_labels = (arrays[content.name] for content in published.contents)
    train = _images(images[:, None], labels.astype(np.int64), published)
    return train, _images(test_images[:, None], test_labels.astype(np.int64), published), None


def _read_cifar(published: Published, contents: Contents) -> Parts:
    pixels, labels = _allocate(published, published.images)
    test_pixels, test_labels = _allocate(published, published.test)
    batches = len(published.contents) - 1
    size = published.images // batches
    label_bytes = published.contents[0].size // size - cifar.PIXEL_BYTES
    starts = {content.name: index * size for index, content in enumerate(published.contents[:-1])}
    for name, source in contents:
        if name in starts:
            rows = slice(starts[name], starts[name] + size)
            into = pixels[rows], labels[rows]
        else:
            into = test_pixels, test_labels
        cifar.read_records(source, *into, label_bytes=label_bytes, classes=len(published.classes))
    return _images(pixels, labels, published), _images(test_pixels, test_labels, published), None


def _read_stl10(published: Published, contents: Contents) -> Parts:
    counts = {"train": published.images, "test": published.test, "unlabeled": published.unlabelled}
    pixels: dict[str, np.ndarray] = {}
    labels: dict[str, np.ndarray] = {}
    for name, source in contents:
        part, _, kind = name.removesuffix(".bin").partition("_")
        if kind == "y":
            labels[part] = stl10.read_labels(source, counts[part], classes=len(published.classes))
        else:
            pixels[part] = np.empty((counts[part], *published.shape), dtype=np.uint8)
            stl10.read_pixels(source, pixels[part])
    rest = None
    if "unlabeled" in pixels:
        rest = _images(pixels["unlabeled"], np.full(published.unlabelled, UNLABELLED), published)
    return (
        _images(pixels["train"], labels["train"], published),
        _images(pixels["test"], labels["test"], published),
        rest,
    )


READERS: dict[str, Callable[[Published, Contents], Parts]] = {
    "idx": _read_idx_set,
    "cifar": _read_cifar,
    "stl10": _read_stl10,
}


def _allocate(published: Published, count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.empty((count, *published.shape), dtype=np.uint8), np.empty(count, dtype=np.int64)


def _images(pixels: np.ndarray, labels: np.ndarray, published: Published) -> Images:
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels), published.classes)
