"""Images that stay in their files, and look like images in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from gradlab.data.decoding import PictureFiles, decoded
from gradlab.data.images import IMAGES_AT_ONCE, Images, Normalisation, mean_and_std_of, opening_digest
from gradlab.errors import UsageError

aten = torch.ops.aten


class StreamedPixels(Tensor):
    """A tensor uint8 [images, channels, side, side] whose images are decoded when they are read.

    A slice or a split along the first axis decodes nothing; any other operation decodes all images of its tensors, so
    it belongs on a few of them. Parts of a split that are read one after another are decoded ahead by other processes,
    and so are the batches of `stream`.

    Raises:
        UsageError: an operation needs more bytes at once than `most`.
        DataUnavailableError: a file cannot be read, from whatever reads it.
    """

    @staticmethod
    def __new__(cls: type["StreamedPixels"], files: PictureFiles, rows: np.ndarray, most: float) -> "StreamedPixels":
        """A tensor of some rows of files, of which at most so many bytes are decoded at once."""
        with torch.inference_mode(False):
            pixels = Tensor._make_wrapper_subclass(cls, (len(rows), *files.shape), dtype=torch.uint8)
        pixels._files, pixels._rows, pixels._most = files, rows, most
        pixels._turn = None
        return pixels

    _files: PictureFiles
    _rows: np.ndarray
    _most: float
    _turn: "tuple[_InOrder, int] | None"

    def stream(self, batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the images at each of these positions, int64 [batch], decoded ahead."""
        rows = [self._rows[positions.cpu().numpy()] for positions in batches]
        return (torch.from_numpy(images) for images in decoded(self._files, rows))

    def decoded(self) -> Tensor:
        """All of these images in memory."""
        if self._turn is not None:
            sequence, place = self._turn
            return sequence.part(place)
        return self._at(self._rows)

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """All of these images in memory, as an array."""
        return self.decoded().numpy(force=force)

    def __repr__(self, *, tensor_contents: object = None) -> str:
        """Says how many there are, and reads none."""
        return f"StreamedPixels({list(self.shape)})"

    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Views stay in their files; everything else is done on decoded images."""
        kwargs = kwargs or {}
        with torch.inference_mode(False):  # there torch allows no view that it has not made itself
            if func in CHOOSING and (chosen := CHOOSING[func](*args, **kwargs)) is not None:
                return chosen
            args, kwargs = tree_map_only(StreamedPixels, StreamedPixels.decoded, (args, kwargs))
            return func(*args, **kwargs)

    def _at(self, rows: np.ndarray) -> Tensor:
        wanted = len(rows) * int(np.prod(self._files.shape))
        if wanted > self._most:
            raise UsageError(
                f"{len(rows)} decoded images take {wanted / 1e9:.1f} GB, more than the {self._most / 1e9:.1f} GB that "
                "are kept in memory: allow more (--image-memory), or smaller images (--image-size)"
            )
        if not len(rows):
            return torch.empty((0, *self._files.shape), dtype=torch.uint8)
        # In parts, so that a few thousand images do not wait for room of their own.
        parts = np.array_split(rows, max(1, len(rows) // IMAGES_AT_ONCE))
        return torch.from_numpy(np.concatenate([*decoded(self._files, parts)]))

    def _viewed(self, rows: np.ndarray) -> "StreamedPixels":
        return StreamedPixels(self._files, rows, self._most)


class _InOrder:
    """The parts of a split: read one after another, each is decoded ahead; the latest is kept for a second look."""

    def __init__(self, parts: list[StreamedPixels]) -> None:
        self._rows, self._pixels = [part._rows for part in parts], parts[0]._viewed(parts[0]._rows)
        self._coming: Iterator[np.ndarray] | None = None
        self._latest, self._images = -1, torch.empty(0)

    def part(self, place: int) -> Tensor:
        if place == self._latest:
            return self._images
        if place != self._latest + 1:
            return self._pixels._at(self._rows[place])
        if self._coming is None:
            self._coming = decoded(self._pixels._files, self._rows)
        self._images, self._latest = torch.from_numpy(next(self._coming)), place
        return self._images


def _itself(pixels: StreamedPixels) -> StreamedPixels:
    return pixels._viewed(pixels._rows)


def _slice(
    pixels: StreamedPixels, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> StreamedPixels | None:
    return None if dim else pixels._viewed(pixels._rows[start:end:step])


def _split(pixels: StreamedPixels, size: int, dim: int = 0) -> list[StreamedPixels] | None:
    if dim:
        return None
    parts = [pixels._viewed(pixels._rows[start : start + size]) for start in range(0, len(pixels._rows), size)]
    sequence = _InOrder(parts)
    for place, part in enumerate(parts):
        part._turn = sequence, place
    return parts


def _select(pixels: StreamedPixels, dim: int, index: int) -> Tensor | None:
    return None if dim else pixels._at(pixels._rows[index : index + 1 or None])[0]


def _index_select(pixels: StreamedPixels, dim: int, index: Tensor) -> Tensor | None:
    return None if dim else pixels._at(pixels._rows[index.cpu().numpy()])


def _index(pixels: StreamedPixels, indices: Sequence[Tensor | None]) -> Tensor | None:
    first, *others = indices
    return None if first is None or others else pixels._at(pixels._rows[first.cpu().numpy()])


CHOOSING: dict[Any, Callable[..., Any]] = {
    aten.detach.default: _itself,
    aten.alias.default: _itself,
    aten.slice.Tensor: _slice,
    aten.split.Tensor: _split,
    aten.select.int: _select,
    aten.index_select.default: _index_select,
    aten.index.Tensor: _index,
}
"""Operations that choose images, with torch's arguments: views as such, copies decoded; None for another axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What one pass over all files of a part tells, so that no second one is needed.

    Args:
        digest: over shape, class names and pixels.
        normalisation: mean and standard deviation of the channels; None of no images.
    """

    digest: Any
    normalisation: Normalisation | None


@dataclass(frozen=True, slots=True, eq=False)
class StreamedImages(Images):
    """A set of images that stay in their files; see `Images`, which it equals in every number."""

    survey: Survey | None = None

    def to(self, device: torch.device | str) -> Images:
        """Itself: batches move to a device, not the files."""
        return self

    def digest(self) -> str:
        """The SHA-256, in hexadecimal, over shape, class names, pixels and labels."""
        assert self.survey is not None
        digest = self.survey.digest.copy()
        digest.update(self.labels.numpy().astype("<i8").data)
        return digest.hexdigest()

    def mean_and_std(self) -> Normalisation:
        """Mean and standard deviation of each channel, as of images in memory."""
        assert self.survey is not None
        if self.survey.normalisation is None:
            raise ValueError("mean and standard deviation need at least one image: got none")
        return self.survey.normalisation


def streamed(
    files: PictureFiles,
    parts: dict[str, tuple[np.ndarray, np.ndarray]],
    classes: tuple[str, ...],
    most: float,
    names: np.ndarray | None = None,
) -> dict[str, Images]:
    """Parts of some files as images that are decoded when they are read; reads every file once.

    Args:
        files: all of them.
        parts: name -> rows int64 [images] and labels int64 [images].
        classes: the name of each class.
        most: bytes that may be decoded at once.
        names: bytes [files], what the images' files are called; None where that is of no interest.

    Raises:
        DataUnavailableError: a file cannot be read.
    """
    surveys = {name: _survey(files, rows, classes) for name, (rows, _labels) in parts.items()}
    grey = all(of_grey is not None for _of_colours, of_grey in surveys.values())
    seen = files.grey() if grey else files
    return {
        name: StreamedImages(
            StreamedPixels(seen, rows, most),
            torch.from_numpy(labels),
            classes,
            None if names is None else names[rows],
            surveys[name][1 if grey else 0],
        )
        for name, (rows, labels) in parts.items()
    }


def _survey(files: PictureFiles, rows: np.ndarray, classes: tuple[str, ...]) -> tuple[Survey, Survey | None]:
    """What one pass tells of images with three channels, and with one where every image is grey."""
    colours = opening_digest((len(rows), *files.shape), classes)
    greys = opening_digest((len(rows), *files.grey().shape), classes)
    sums, squares = np.zeros((2, files.channels), np.int64)
    grey = True
    for images in decoded(files, np.array_split(rows, max(1, -(-len(rows) // IMAGES_AT_ONCE)))):
        colours.update(images.data)
        grey = grey and bool((images == images[:, :1]).all())
        if grey:
            greys.update(np.ascontiguousarray(images[:, :1]).data)
        sums += images.sum((0, 2, 3), dtype=np.int64)
        squares += np.square(images, dtype=np.int32).sum((0, 2, 3), dtype=np.int64)
    moments = mean_and_std_of(sums.tolist(), squares.tolist(), len(rows) * files.side**2) if len(rows) else None
    if not grey:
        return Survey(colours, moments), None
    of_one = None if moments is None else (moments[0][:1], moments[1][:1])
    return Survey(colours, moments), Survey(greys, of_one)
