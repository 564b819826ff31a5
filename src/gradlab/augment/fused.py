"""A row of transforms in one go: natively where that is possible, else in pieces that fit a processor's cache."""

import ctypes
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gradlab.augment import native
from gradlab.augment.blur import GaussianBlur, bell, check_bell
from gradlab.augment.crop import RandomResizedCrop
from gradlab.augment.flip import RandomHorizontalFlip
from gradlab.augment.greyscale import RandomGrayscale
from gradlab.augment.jitter import ColorJitter
from gradlab.augment.normalize import Normalize
from gradlab.augment.pipeline import Pipeline, Transform
from gradlab.augment.pixels import check_colours
from gradlab.augment.views import ContrastiveTransformations

KINDS = (RandomHorizontalFlip, RandomResizedCrop, ColorJitter, RandomGrayscale, GaussianBlur, Normalize)
"""The stages of the native kernel, in its order."""
PIECE_VALUES = 2**18
"""Numbers of a piece: its images, and the few copies that a transform makes, stay in the second cache."""


class FusedPipeline(Pipeline):
    """A `Pipeline` with the same result within 1e-5, several times faster on a processor.

    A native kernel makes the views where there is a C++ compiler and the transforms are among mirror, crop, jitter,
    greyscale, blur and normalise, each at most once and in that order, from bytes to single precision. Otherwise, on
    another device and with `native` off, the transforms do, which are the reference. `GRADLAB_NATIVE=0` switches the
    kernel off for a whole process; `native_augmentation()` tells what is used. `torch.compile` takes either
    pipeline.

    Args:
        transforms: first to last.
        native: whether the kernel may be used; afterwards whether it knows the transforms.
    """

    def __init__(self, transforms: Sequence[Transform], *, native: bool = True) -> None:
        super().__init__(transforms)
        self.native = native and runs_natively(self.transforms)
        self._in_pieces = Pipeline(_mirrored_crops(self.transforms))

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the images after every transform, given uniforms [batch, `uniforms`]."""
        if torch.compiler.is_compiling() or images.device.type != "cpu" or self.whole_batch:
            return self._in_pieces(images, uniforms)
        if self.native and images.dtype == torch.uint8 and (kernel := native.kernel()) is not None:
            return augmented(kernel, self.transforms, images, uniforms)
        size = max(1, PIECE_VALUES // images[0].numel()) if len(images) else 1
        pieces = zip(images.split(size), uniforms.split(size), strict=True)
        return torch.cat([self._in_pieces(*piece) for piece in pieces])


def runs_natively(transforms: Sequence[Transform]) -> bool:
    """Whether the native kernel knows these transforms in this order."""
    if not transforms or not all(type(transform) in KINDS for transform in transforms):
        return False
    places = [KINDS.index(type(transform)) for transform in transforms]
    single = all(getattr(transform, "dtype", torch.float32) == torch.float32 for transform in transforms)
    blurs = all(getattr(transform, "kernel_size", 3) > 1 for transform in transforms)
    # Mirrored bytes stay bytes; the kernel gives floats.
    return single and blurs and places[-1] > 0 and all(first < second for first, second in pairwise(places))


def uses_the_kernel(transform: Transform | None) -> bool:
    """Whether the native kernel makes a part of what a transform makes, where it can be built."""
    match transform:
        case FusedPipeline():
            return transform.native
        case Pipeline():
            return any(uses_the_kernel(part) for part in transform.transforms)
        case ContrastiveTransformations():
            return uses_the_kernel(transform.base_transforms)
    return False


def augmented(kernel: Any, transforms: Sequence[Transform], images: Tensor, uniforms: Tensor) -> Tensor:
    """The views that the native kernel makes of images uint8 [batch, channels, height, width].

    Raises:
        ValueError: the uniform numbers are not one row an image, each in [0, 1); the images are too small for the blur;
            or colours are asked of neither one channel nor three.
    """
    batch, channels, height, width = images.shape
    _check_uniforms(uniforms, batch, sum(transform.uniforms for transform in transforms))
    out_height, out_width, arrays = height, width, {}
    first = 0
    for transform in transforms:
        draws = uniforms[:, first : first + transform.uniforms]
        first += transform.uniforms
        if isinstance(transform, RandomResizedCrop):
            out_height = out_width = transform.size
        arrays |= _arrays(transform, draws, images)
    if arrays.keys() & {"factors", "greyed"}:
        check_colours(channels)
    if "weights" in arrays:
        check_bell(2 * arrays["weights"].shape[1] - 1, out_height, out_width)
    # Kept in a variable: the addresses are good as long as the tensors live.
    arrays = {name: array.contiguous() for name, array in arrays.items()}
    stages = native.Stages(**{name: array.data_ptr() for name, array in arrays.items()})
    stages.radius = arrays["weights"].shape[1] - 1 if "weights" in arrays else 0
    images, out = images.contiguous(), torch.empty(batch, channels, out_height, out_width)
    sides = (height, width, out_height, out_width)
    kernel(images.data_ptr(), out.data_ptr(), batch, channels, *sides, ctypes.byref(stages))
    return out


def _check_uniforms(uniforms: Tensor, batch: int, columns: int) -> None:
    """The kernel goes where these numbers send it, so they must not send it outside the image."""
    if uniforms.shape != (batch, columns):
        raise ValueError(f"{batch} images need uniform numbers [{batch}, {columns}]: got {list(uniforms.shape)}")
    if uniforms.numel() and not (uniforms.amin() >= 0 and uniforms.amax() < 1):
        raise ValueError(f"uniform numbers lie in [0, 1): got {uniforms.amin().item()} to {uniforms.amax().item()}")


def _arrays(transform: Transform, draws: Tensor, images: Tensor) -> dict[str, Tensor]:
    """What the kernel needs to know for one stage, under its names; `draws` are the stage's own uniform numbers."""
    channels, height, width = images.shape[1:]
    match transform:
        case RandomHorizontalFlip():
            return {"mirrored": transform.parameters(draws)}
        case RandomResizedCrop():
            return {"rectangles": transform.rectangles(draws, height=height, width=width)}
        case ColorJitter():
            return transform.parameters(draws)._asdict()
        case RandomGrayscale():
            return {"greyed": transform.parameters(draws)}
        case GaussianBlur():
            weights = bell(transform.parameters(draws), transform.kernel_size)
            return {"weights": weights[:, transform.kernel_size // 2 :]}
        case Normalize():
            deviation = torch.tensor(transform.standard_deviation, dtype=torch.float64).expand(channels)
            mean = torch.tensor(transform.mean, dtype=torch.float64)
            return {"scale": (1 / deviation).float(), "shift": (-mean / deviation).float()}
    raise TypeError(f"the kernel has no stage for {transform!r}")


class _MirroredCrop:
    """A mirror and a crop in one, for the price of the crop."""

    def __init__(self, flip: RandomHorizontalFlip, crop: RandomResizedCrop) -> None:
        self._flip, self._crop = flip, crop
        self.uniforms = flip.uniforms + crop.uniforms

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        rectangles = self._crop.rectangles(uniforms[:, self._flip.uniforms :], height=height, width=width)
        return self._crop.cropped(images, rectangles, self._flip.parameters(uniforms))


def _mirrored_crops(transforms: Sequence[Transform]) -> list[Transform]:
    """The transforms, with each mirror that comes just before a crop taken into it."""
    made: list[Transform] = []
    for transform in transforms:
        if type(transform) is RandomResizedCrop and made and type(made[-1]) is RandomHorizontalFlip:
            made[-1] = _MirroredCrop(made[-1], transform)
        else:
            made.append(transform)
    return made
