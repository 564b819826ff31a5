"""Any dataset object of (image, label) pairs as images in memory."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gradlab.data.decode import to_eight_bits
from gradlab.data.images import BRIGHTEST, UNLABELLED, Images, Splits
from gradlab.data.partition import carve, proportional
from gradlab.errors import UsageError

VALIDATION_SHARE = 0.15
TEST_SHARE = 0.15
CHANNELS = (1, 3)


class MapStyle(Protocol):
    """A dataset with a length, whose items are (image, label)."""

    def __len__(self) -> int:
        """How many items there are."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """The image and the label at a position."""
        ...


def images_from(dataset: MapStyle, *, classes: Sequence[str] | None = None) -> Images:
    """All items of a dataset as images.

    Args:
        dataset: items are (image, label). An image is a PIL image, a numpy array [height, width] or [height, width,
            channels], or a tensor [height, width] or [channels, height, width]; arrays and tensors hold bytes or
            floats in [0, 1]; all have one size and 1 or 3 channels. A label is a whole number, -1 for none.
        classes: class names; else the dataset's own `classes`, else the labels as text.

    Raises:
        UsageError: an item is something else; the message names its index.
    """
    count = len(dataset)
    if not count:
        raise UsageError("a dataset must have at least one item: got none")
    labels = np.empty(count, dtype=np.int64)
    pixels = np.empty(0, dtype=np.uint8)
    for index in range(count):
        image, labels[index] = _item(dataset, index)
        if not index:
            pixels = np.empty((count, *image.shape), dtype=np.uint8)
        elif image.shape != pixels.shape[1:]:
            raise UsageError(
                f"all images must have the first one's shape {pixels.shape[1:]}: item {index} has {image.shape}"
            )
        pixels[index] = image
    names = _class_names(dataset, classes, int(labels.max()))
    if labels.min() < UNLABELLED or labels.max() >= len(names):
        wrong = int(np.flatnonzero((labels < UNLABELLED) | (labels >= len(names)))[0])
        raise UsageError(
            f"labels must lie in [-1, {len(names)}) for {len(names)} classes: item {wrong} has {labels[wrong]}"
        )
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels), names)


def from_dataset(
    train: MapStyle,
    *,
    validation: MapStyle | None = None,
    test: MapStyle | None = None,
    classes: Sequence[str] | None = None,
    split_seed: int = 42,
    name: str = "dataset",
) -> Splits:
    """Dataset objects as splits; a part that is not given is held out of `train`, 15 % of all its images each.

    Args:
        train: items of (image, label), see `images_from`.
        validation: the same, or None to hold it out.
        test: the same, or None to hold it out.
        classes: class names; else `train.classes`, else the labels as text.
        split_seed: which images are held out.
        name: what the splits are called.

    Raises:
        UsageError: an item is no image and label, or there are too few to hold some out.
    """
    rest = images_from(train, classes=classes)
    names, count = rest.classes, len(rest)
    parts = {"test": test, "validation": validation}
    found = {part: images_from(given, classes=names) for part, given in parts.items() if given is not None}
    for part, share in (("test", TEST_SHARE), ("validation", VALIDATION_SHARE)):
        if part not in found:
            labels = rest.labels.numpy()
            if labels.min() == UNLABELLED:
                raise UsageError(f"{part} can only be held out of images that all have labels: give {part}=")
            held = max(1, round(count * share))
            if held >= len(rest):
                raise UsageError(f"{count} images are too few to hold out {part}: give more, or give {part}=")
            rest, found[part] = carve(rest, proportional(labels, held), split_seed)
    return Splits(train=rest, validation=found["validation"], test=found["test"], name=name)


def _item(dataset: MapStyle, index: int) -> tuple[np.ndarray, int]:
    item = dataset[index]
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise UsageError(f"an item must be (image, label): item {index} is {type(item).__name__}")
    image, label = item
    if isinstance(label, (Tensor, np.ndarray)) and label.ndim == 0:
        label = label.item()
    if isinstance(label, bool) or not isinstance(label, (int, np.integer)):
        raise UsageError(f"a label must be a whole number: item {index} has {label!r}")
    try:
        return _to_bytes(image), int(label)
    except ValueError as error:
        raise UsageError(f"item {index}: {error}") from error


def _to_bytes(image: object) -> np.ndarray:
    """An image as uint8 [channels, height, width]."""
    if isinstance(image, Image.Image):
        eight = to_eight_bits(image)
        image = np.asarray(eight.convert("L" if eight.mode in {"1", "L", "LA"} else "RGB"))
    if isinstance(image, Tensor):
        array = image.detach().cpu().numpy()
    elif isinstance(image, np.ndarray):
        array = image.transpose(2, 0, 1) if image.ndim == 3 else image
    else:
        raise ValueError(f"an image must be a PIL image, an array or a tensor: got {type(image).__name__}")
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[0] not in CHANNELS or 0 in array.shape:
        raise ValueError(f"an image must have 2 axes, or 3 with 1 or 3 channels: got {tuple(image.shape)}")
    if np.issubdtype(array.dtype, np.floating):
        # Written so that NaN is refused too.
        if not (array.min() >= 0 and array.max() <= 1):
            raise ValueError(f"float pixels must lie in [0, 1]: got {array.min():g} to {array.max():g}")
        return np.rint(array * BRIGHTEST).astype(np.uint8)
    if array.dtype != np.uint8:
        raise ValueError(f"pixels must be bytes or floats in [0, 1]: got {array.dtype}")
    return array


def _class_names(dataset: MapStyle, classes: Sequence[str] | None, highest: int) -> tuple[str, ...]:
    names = classes if classes is not None else getattr(dataset, "classes", None)
    return tuple(str(name) for name in (names if names is not None else range(highest + 1)))
