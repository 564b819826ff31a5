"""Transforms in a row, each with its own share of a sample's random numbers."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Transform(Protocol):
    """Maps a batch of images; draws nothing itself.

    A sample's view is a pure function of its row of uniform numbers, so it is the same whatever the batch size, the
    order of the batch or the number of processes. The exception says so with an attribute `whole_batch` that is True.
    """

    @property
    def uniforms(self) -> int:
        """How many uniform numbers in [0, 1) one sample needs."""
        ...

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the transformed images of [batch, channels, height, width], given uniforms [batch, `uniforms`]."""
        ...


class Pipeline:
    """Transforms applied first to last."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = tuple(transforms)
        self.uniforms = sum(transform.uniforms for transform in self.transforms)
        self.whole_batch = any(mixes_samples(transform) for transform in self.transforms)

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the images after every transform; each transform reads its own columns of `uniforms`."""
        first = 0
        for transform in self.transforms:
            last = first + transform.uniforms
            images = transform(images, uniforms[:, first:last])
            first = last
        return images


def without_randomness(transform: Transform, images: Tensor) -> Tensor:
    """Returns the images through a transform that needs no random numbers (evaluation).

    Raises:
        ValueError: the transform is random.
    """
    if transform.uniforms:
        raise ValueError(f"evaluation needs a transform without randomness: got {transform!r}")
    return transform(images, torch.empty(len(images), 0, device=images.device))


def mixes_samples(transform: Transform) -> bool:
    """Whether a view depends on the other samples of its batch, so that the batches of two seeds must not be joined."""
    return getattr(transform, "whole_batch", False)


def draws_for_the_batch(transform: Transform) -> bool:
    """Whether all samples of a batch share one draw, so that a batch must not be shared among processes."""
    inside = getattr(transform, "transforms", ())
    return getattr(transform, "one_draw", False) or any(draws_for_the_batch(part) for part in inside)


def alternating_columns(transform: Transform) -> list[int]:
    """The random numbers of a transform that move by a half from epoch to epoch instead of being drawn anew."""
    columns: list[int] = list(getattr(transform, "alternating", ()))
    first = 0
    for part in getattr(transform, "transforms", ()):
        columns += [first + column for column in alternating_columns(part)]
        first += part.uniforms
    return columns
