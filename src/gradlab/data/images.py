"""Images in memory, and the splits that an experiment trains, selects and tests on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradlab.errors import UsageError

UNLABELLED = -1
BRIGHTEST = 255
IMAGES_AT_ONCE = 1000

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """A set of equally large images with their labels, held in memory as bytes.

    Args:
        pixels: uint8 [images, channels, height, width], 0 to 255.
        labels: int64 [images], a class index, or -1 where an image has no label.
        classes: the name of each class, in the order of the indices.
        files: bytes [images], the path of each image in its folder; None where they were not read from files.

    Raises:
        ValueError: types, shapes, lengths or label range do not fit together.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    files: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.files is not None and len(self.files) != len(self.pixels):
            raise ValueError(f"there must be one file for each of {len(self.pixels)} images: got {len(self.files)}")
        _check_pixels(self.pixels)
        _check_labels(self.labels, count=len(self.pixels), classes=len(self.classes))
        if len(set(self.classes)) != len(self.classes):
            twice = next(name for name in self.classes if self.classes.count(name) > 1)
            raise ValueError(f"class names must differ: '{twice}' is there twice")

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, indices: Tensor | np.ndarray | Sequence[int]) -> "Images":
        """The images at these positions, in this order, as a copy.

        Args:
            indices: whole numbers in [0, images); one may appear more than once.

        Raises:
            IndexError: a position lies outside the set, or is not a whole number.
        """
        chosen = torch.as_tensor(indices if isinstance(indices, Tensor) else np.ascontiguousarray(indices))
        if chosen.ndim != 1 or chosen.is_floating_point() or chosen.dtype == torch.bool:
            if chosen.numel():
                raise IndexError(f"indices must be a row of whole numbers: got {chosen.dtype} {list(chosen.shape)}")
            chosen = chosen.reshape(-1).long()
        chosen = chosen.to(self.pixels.device, torch.int64)
        if len(chosen) and (int(chosen.min()) < 0 or int(chosen.max()) >= len(self)):
            raise IndexError(f"indices must lie in [0, {len(self)}): got {int(chosen.min())} to {int(chosen.max())}")
        files = None if self.files is None else self.files[chosen.cpu().numpy()]
        return Images(self.pixels[chosen], self.labels[chosen], self.classes, files)

    def first(self, count: int) -> "Images":
        """So many images from the front; all of them where the count is 0.

        Raises:
            UsageError: there are fewer.
        """
        if not 0 <= count <= len(self):
            raise UsageError(f"there are {len(self):,} training images, and 0 takes all: got --train-images {count}")
        return self.take(range(count)) if count else self

    def to(self, device: torch.device | str) -> "Images":
        """The same images on another device; itself where they are there already."""
        pixels, labels = self.pixels.to(device), self.labels.to(device)
        same = pixels is self.pixels and labels is self.labels
        return self if same else Images(pixels, labels, self.classes, self.files)

    def digest(self) -> str:
        """The SHA-256, in hexadecimal, over shape, class names, pixels and labels."""
        digest = opening_digest(self.pixels.shape, self.classes)
        for chunk in self.pixels.split(IMAGES_AT_ONCE):
            digest.update(chunk.cpu().contiguous().numpy().data)
        digest.update(self.labels.cpu().numpy().astype("<i8").data)
        return digest.hexdigest()

    def mean_and_std(self) -> Normalisation:
        """Mean and standard deviation of each channel over all images and positions, for pixels in [0, 1].

        The sums are whole numbers, so the result does not depend on the order of the images or on threads.

        Raises:
            ValueError: there are no images.
        """
        if not len(self):
            raise ValueError("mean and standard deviation need at least one image: got none")
        channels = self.pixels.shape[1]
        sums, squares = torch.zeros(2, channels, dtype=torch.int64)
        for chunk in self.pixels.split(IMAGES_AT_ONCE):
            wide = chunk.cpu().to(torch.int32)
            sums += wide.sum((0, 2, 3), dtype=torch.int64)
            squares += wide.square().sum((0, 2, 3), dtype=torch.int64)
        return mean_and_std_of(sums.tolist(), squares.tolist(), self.pixels.numel() // channels)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Splits:
    """One dataset, cut into the parts that are trained on, selected on and tested on.

    Args:
        train: what the weights are fitted to.
        validation: what settings and epochs are selected on.
        test: what is read once, at the end.
        unlabelled: further images without labels, where the dataset has them.
        name: the dataset's name, such as "cifar10".
        normalisation: per-channel mean and standard deviation for pixels in [0, 1]; computed on `train` if left empty.

    Raises:
        ValueError: the parts differ in image shape, or the labelled ones in their classes.
    """

    train: Images
    validation: Images
    test: Images
    unlabelled: Images | None = None
    name: str
    normalisation: Normalisation = ((), ())

    def __post_init__(self) -> None:
        shape, classes = self.train.pixels.shape[1:], self.train.classes
        for part, images in self.parts().items():
            if images.pixels.shape[1:] != shape:
                raise ValueError(
                    f"all parts must have train's shape {list(shape)}: {part} has {list(images.pixels.shape[1:])}"
                )
            if part != "unlabelled" and images.classes != classes:
                raise ValueError(
                    f"all parts must have train's {len(classes)} classes: {part} has {len(images.classes)} others"
                )
        if self.normalisation == ((), ()):
            object.__setattr__(self, "normalisation", self.train.mean_and_std())
        if any(len(values) != shape[0] for values in self.normalisation):
            raise ValueError(
                f"normalisation must have one value for each of {shape[0]} channels: got {self.normalisation}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        channels, height, width = self.train.pixels.shape[1:]
        return channels, height, width

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.train.classes

    def parts(self) -> dict[str, Images]:
        """The parts that are there, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return parts if self.unlabelled is None else parts | {"unlabelled": self.unlabelled}

    def digest(self) -> str:
        """The SHA-256, in hexadecimal, over the digests of the parts."""
        return hashlib.sha256(
            "".join(f"{name} {part.digest()}\n" for name, part in self.parts().items()).encode()
        ).hexdigest()


def opening_digest(shape: Sequence[int], classes: Sequence[str]) -> Any:
    """A SHA-256 that has read the shape of the pixels and the names of the classes, and awaits pixels and labels."""
    return hashlib.sha256(json.dumps({"shape": list(shape), "classes": list(classes)}).encode())


def mean_and_std_of(sums: Sequence[int], squares: Sequence[int], count: int) -> Normalisation:
    """Mean and standard deviation of each channel, for pixels in [0, 1].

    Args:
        sums: of each channel's bytes.
        squares: sums of the squares of each channel's bytes.
        count: bytes of each channel.
    """
    means = [total / count for total in sums]
    # Whole numbers up to the last step: float sums of squares would cancel.
    variances = [(n2 * count - n1 * n1) / count**2 for n1, n2 in zip(sums, squares, strict=True)]
    return tuple(mean / BRIGHTEST for mean in means), tuple(value**0.5 / BRIGHTEST for value in variances)


def _check_pixels(pixels: Tensor) -> None:
    if not isinstance(pixels, Tensor) or pixels.dtype != torch.uint8:
        raise ValueError(f"pixels must be a uint8 tensor: got {getattr(pixels, 'dtype', type(pixels).__name__)}")
    if pixels.ndim != 4 or 0 in pixels.shape[1:]:
        raise ValueError(f"pixels must be [images, channels, height, width]: got {list(pixels.shape)}")


def _check_labels(labels: Tensor, *, count: int, classes: int) -> None:
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        raise ValueError(f"labels must be an int64 tensor: got {getattr(labels, 'dtype', type(labels).__name__)}")
    if labels.shape != (count,):
        raise ValueError(f"there must be one label for each of {count} images: got labels {list(labels.shape)}")
    if count and (int(labels.min()) < UNLABELLED or int(labels.max()) >= classes):
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(f"labels must lie in [{UNLABELLED}, {classes}) for {classes} classes: got {low} to {high}")
