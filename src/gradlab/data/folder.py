"""A folder of image files as splits: one sub-folder a class, any mix of formats, sizes and colour modes."""

import contextlib
import os
import statistics
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gradlab.data.decode import FRAMINGS, Framing, read_picture, sides
from gradlab.data.decoding import PictureFiles
from gradlab.data.images import Images, Splits
from gradlab.data.partition import carve, held_out
from gradlab.data.streamed import streamed
from gradlab.errors import DataUnavailableError, UsageError, unknown

# Fixed, so that a file named like a rare format never reaches a decoder that nobody looks after.
ENDINGS = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}
)
PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
VALIDATION_SHARE = 0.15
TEST_SHARE = 0.15
SIDE_STEP = 8
LARGEST_DEFAULT_SIDE = 64
SURVEYED, TOLD_LOSS = 100, 0.25
"""Pictures whose proportions are looked at, and the share of most of them beyond which their loss is told."""
IMAGE_MEMORY = 2.0
"""Gigabytes of decoded images that are kept in memory, if nobody says otherwise."""
MOST_DAMAGED_LISTED = 10
"""Damaged files that one message names, after the first."""
MOST_AT_ONCE = 250e6
"""Bytes of images that may be decoded at once, however little is kept."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """Paths and class indices of one part, in order, before a pixel is read."""

    paths: tuple[Path, ...]
    labels: np.ndarray


def load_folder(
    path: str | Path,
    *,
    split_seed: int = 42,
    image_size: int | None = None,
    framing: Framing = "crop",
    image_memory: float = IMAGE_MEMORY,
) -> Splits:
    """The images of a folder as splits.

    Either the folder holds one sub-folder a class, and 15 % of each class go to validation and 15 % to test, at least
    one image each; or it holds train/ and perhaps validation/ (or val/, valid/) and test/, each with one sub-folder a
    class, and what is not there is held out of train/ in the same way. Class folders are searched to any depth. Hidden
    files, files that are no images (by their ending), linked folders and links that leave the folder are ignored; a
    warning names the first of the files beside the class folders.

    Every image is turned as its EXIF orientation says, made square and resized, with antialiasing, to one size.
    Transparent pixels lie over white. If every image is grey, there is one channel, else three.

    Images that take more memory than `image_memory` stay in their files: worker processes decode them, ahead of
    training, whenever they are read. Nothing else changes, neither a pixel nor a digest.

    Args:
        path: the folder.
        split_seed: which images are held out.
        image_size: height and width of the images; else the median of the shorter sides, rounded to a multiple of 8,
            from 8 to 64.
        framing: how images become square: "crop" keeps the centre square, "pad" the whole image between grey bars,
            "stretch" the whole image and not its proportions.
        image_memory: gigabytes (10^9 bytes) of decoded images that are kept in memory.

    Raises:
        UsageError: the image size is below 1, the memory below 0, or the framing unknown.
        DataUnavailableError: there is no such folder, it has fewer than two classes, a class has no image or too few to
            be split, a class folder holds a run of gradlab's, or an image cannot be read.
    """
    root = Path(path).expanduser()
    _refuse_impossible(root, image_size, framing, image_memory)
    try:
        classes, listings = _list_parts(root)
    except OSError as error:
        raise DataUnavailableError(f"cannot list {error.filename or root}: {error.strerror}") from error
    paths = [path for listing in listings.values() for path in listing.paths]
    if framing == "crop":
        _tell_of_long_pictures(paths)
    names = np.array([os.fsencode(path.relative_to(root).as_posix()) for path in paths])
    side = image_size or _default_side(paths)
    if len(paths) * 3 * side**2 > image_memory * 1e9:
        rows = _split_rows(listings, split_seed)
        files = PictureFiles.of(paths, side, framing)
        parts = streamed(files, rows, classes, max(image_memory * 1e9, MOST_AT_ONCE), names)
        train, validation, test = (parts[part] for part in PART_NAMES)
        return Splits(train=train, validation=validation, test=test, name=f"folder:{root.name}")
    pixels = _read_all(paths, side, framing)
    parts = _cut(pixels, names, listings, classes)
    rest = parts["train"]
    for part, share in (("test", TEST_SHARE), ("validation", VALIDATION_SHARE)):
        if part not in parts:
            # Both shares are of all images, not of what the other one left.
            rest, parts[part] = carve(rest, _quotas(listings["train"].labels, share), split_seed)
    return Splits(train=rest, validation=parts["validation"], test=parts["test"], name=f"folder:{root.name}")


def _refuse_impossible(root: Path, image_size: int | None, framing: str, image_memory: float) -> None:
    if root.is_file():
        raise DataUnavailableError(f"{root} is a file: give the folder that holds one sub-folder a class")
    if not root.is_dir():
        raise DataUnavailableError(f"there is no folder {root}: give the path of a folder with one sub-folder a class")
    if image_size is not None and image_size < 1:
        raise UsageError(f"the image size must be 1 or more: got {image_size}")
    if framing not in FRAMINGS:
        raise unknown("framing", framing, FRAMINGS)
    if not image_memory >= 0:
        raise UsageError(f"the memory for images must be 0 gigabytes or more: got {image_memory}")


def _list_parts(root: Path) -> tuple[tuple[str, ...], dict[str, _Listing]]:
    """The classes, and the files of each part that the folder names; one part "train" if it names none."""
    folders = {part: _part_folder(root, names) for part, names in PART_NAMES.items()}
    found = {part: folder for part, folder in folders.items() if folder is not None}
    if found and "train" not in found:
        given = next(iter(found.values())).name
        raise DataUnavailableError(f"{root} has {given}/ but no train/: add it, or put the classes into {root} itself")
    found = found or {"train": root}
    classes = tuple(folder.name for folder in _subfolders(found["train"]))
    if len(classes) < 2:
        what = f"one class ('{classes[0]}')" if classes else "no class"
        loose = _files_beside(found["train"])
        beside = f" (what lies in it, such as {loose[0].name}, belongs to none)" if loose else ""
        raise DataUnavailableError(
            f"{found['train']} has {what}: it needs at least two sub-folders, one a class, with images{beside}"
        )
    _tell_of_loose_files(found.values())
    listings = {part: _list_part(folder, classes, root) for part, folder in found.items()}
    _check_counts(found["train"], classes, listings["train"], held_out=len(PART_NAMES) - len(found))
    return classes, listings


def _tell_of_loose_files(folders: Iterable[Path]) -> None:
    loose = [path for folder in folders for path in _files_beside(folder)]
    if loose:
        others = {0: " lies", 1: " and another file lie"}.get(len(loose) - 1, f" and {len(loose) - 1} other files lie")
        warnings.warn(f"{loose[0]}{others} beside the class folders, in none: left out", stacklevel=4)


def _files_beside(folder: Path) -> list[Path]:
    """Files, sorted, that lie where class folders are."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _check_counts(folder: Path, classes: tuple[str, ...], listing: _Listing, *, held_out: int) -> None:
    counts = np.bincount(listing.labels, minlength=len(classes))
    short = int(counts.argmin())
    if counts[short] <= held_out:
        raise DataUnavailableError(
            f"class '{classes[short]}' of {folder} has {counts[short]} images, too few to hold some out: "
            f"it needs at least {held_out + 1}"
        )


def _part_folder(root: Path, names: Sequence[str]) -> Path | None:
    """The sub-folder for a part; it must hold class folders, for "train" may also be the name of a class."""
    for folder in _subfolders(root):
        if folder.name.lower() in names and _subfolders(folder):
            return folder
    return None


def _subfolders(folder: Path) -> list[Path]:
    inside = (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    return sorted(path for path in inside if not path.name.startswith("."))


def _list_part(folder: Path, classes: tuple[str, ...], root: Path) -> _Listing:
    paths: list[Path] = []
    labels: list[int] = []
    for class_folder in _subfolders(folder):
        if class_folder.name not in classes:
            raise DataUnavailableError(
                f"{class_folder} is a class that train/ does not have: add it there or remove it"
            )
        if run := _run_in(class_folder):
            raise DataUnavailableError(
                f"class folder {class_folder} holds a run of gradlab's ({run}), whose charts would count as pictures: "
                "name the folder that has your class folders and nothing else"
            )
        files = picture_files(class_folder, root)
        if not files:
            raise DataUnavailableError(f"class folder {class_folder} has no image: add some or remove it")
        paths += files
        labels += [classes.index(class_folder.name)] * len(files)
    return _Listing(tuple(paths), np.array(labels, dtype=np.int64))


def _run_in(class_folder: Path) -> Path | None:
    """A run in a folder, at its top or one below, where `gradlab run` puts it; None if there is none."""
    journals = (path for pattern in ("rows.jsonl", "*/rows.jsonl") for path in class_folder.glob(pattern))
    return next((path.parent for path in journals if path.with_name("config.json").is_file()), None)


def picture_files(folder: Path, root: Path | None = None) -> list[Path]:
    """The pictures in a folder, at any depth, in the order of their paths; what is hidden is left out.

    Args:
        folder: where to look; linked folders in it are not entered.
        root: links to files that lie outside of it are left out; the folder itself where None.
    """
    inside = (root or folder).resolve()
    files: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(parent, name) for name in names if not name.startswith("."))
        files += [path for path in paths if path.suffix.lower() in ENDINGS and _stays_inside(path, inside)]
    return sorted(files)


def _stays_inside(path: Path, root: Path) -> bool:
    return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root))


def _known_sides(paths: Sequence[Path]) -> list[tuple[int, int]]:
    """Width and height of the images that can be opened; whoever reads the images tells of the others."""
    known = []
    for path in paths:
        with contextlib.suppress(DataUnavailableError):
            known.append(sides(path))
    return known


def _default_side(paths: Sequence[Path]) -> int:
    side = statistics.median([min(size) for size in _known_sides(paths)] or [LARGEST_DEFAULT_SIDE])
    return min(max(round(side / SIDE_STEP), 1) * SIDE_STEP, LARGEST_DEFAULT_SIDE)


def _tell_of_long_pictures(paths: Sequence[Path]) -> None:
    some = _known_sides(paths[:: max(1, len(paths) // SURVEYED)])
    lost = statistics.median([1 - min(size) / max(size) for size in some] or [0.0])
    if lost >= TOLD_LOSS:
        warnings.warn(
            f"half of these pictures or more lose {100 * lost:.0f} % of themselves or more, since their centre square "
            "is cut out: --framing pad keeps all of it, --framing stretch too, distorted",
            stacklevel=3,
        )


def _read_all(paths: Sequence[Path], side: int, framing: Framing) -> torch.Tensor:
    """All images, uint8 [images, 1 or 3, side, side]; one channel if every image is grey."""
    pixels = np.empty((len(paths), 3, side, side), dtype=np.uint8)
    damaged: list[tuple[Path, DataUnavailableError]] = []

    def read(row: int) -> None:
        try:
            pixels[row] = read_picture(paths[row], side, framing).transpose(2, 0, 1)
        except DataUnavailableError as error:
            damaged.append((paths[row], error))

    # The decoders warn about odd metadata that does not touch the pixels.
    with warnings.catch_warnings(), ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        for _ in pool.map(read, range(len(paths))):
            pass
    _refuse_damaged(sorted(damaged))
    grey = all(bool((image[0] == image[1]).all() and (image[0] == image[2]).all()) for image in pixels)
    return torch.from_numpy(pixels[:, :1].copy() if grey else pixels)


def _refuse_damaged(damaged: list[tuple[Path, DataUnavailableError]]) -> None:
    """Tells of every image that cannot be read, so that a folder can be put right in one go."""
    if not damaged:
        return
    (_path, first), *others = damaged
    if not others:
        raise first
    listed = ", ".join(str(path) for path, _error in others[:MOST_DAMAGED_LISTED])
    more = f" and {len(others) - MOST_DAMAGED_LISTED} more" if len(others) > MOST_DAMAGED_LISTED else ""
    does = "others that cannot" if len(others) > 1 else "other that cannot"
    raise DataUnavailableError(f"{first}, and {len(others)} {does} be read either: {listed}{more}") from first


def _cut(
    pixels: torch.Tensor, names: np.ndarray, listings: dict[str, _Listing], classes: tuple[str, ...]
) -> dict[str, Images]:
    parts, start = {}, 0
    for part, listing in listings.items():
        stop = start + len(listing.paths)
        parts[part] = Images(pixels[start:stop], torch.from_numpy(listing.labels), classes, names[start:stop])
        start = stop
    return parts


def _split_rows(listings: dict[str, _Listing], seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rows and labels of the parts that `load_folder` cuts, without a pixel."""
    parts, start = {}, 0
    for part, listing in listings.items():
        parts[part] = np.arange(start, start + len(listing.paths)), listing.labels
        start += len(listing.paths)
    for part, share in (("test", TEST_SHARE), ("validation", VALIDATION_SHARE)):
        if part not in parts:
            rows, labels = parts["train"]
            out = held_out(labels, _quotas(listings["train"].labels, share), seed)
            parts[part] = rows[out], labels[out]
            parts["train"] = np.delete(rows, out), np.delete(labels, out)
    return parts


def _quotas(labels: np.ndarray, share: float) -> np.ndarray:
    return np.maximum(1, np.rint(np.bincount(labels) * share).astype(np.int64))
