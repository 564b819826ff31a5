"""Which images are held out: class by class, fixed by a seed, the same on every machine and version."""

import numpy as np
import torch

from gradlab.data.images import IMAGES_AT_ONCE, Images
from gradlab.errors import UsageError


def shuffled(count: int, seed: int) -> np.ndarray:
    """A permutation of 0 to count - 1, int64, fixed by the seed.

    It sorts raw draws of PCG64, the part of numpy whose stream is promised to stay the same across versions;
    `Generator.permutation` carries no such promise.

    Raises:
        UsageError: the seed is negative.
    """
    if seed < 0:
        raise UsageError(f"a split seed must be 0 or more: got {seed}")
    return np.argsort(np.random.PCG64(seed).random_raw(count), kind="stable")


def proportional(labels: np.ndarray, count: int) -> np.ndarray:
    """How many images of each class make up `count` of them, each class by its share (largest remainders round up).

    Args:
        labels: class index of every image, all 0 or more.
        count: how many images in all, at most `len(labels)`.

    Raises:
        ValueError: there are fewer images than `count`.
    """
    if not 0 <= count <= len(labels):
        raise ValueError(f"can hold out 0 to {len(labels)} images: got {count}")
    if not count:
        return np.zeros(int(labels.max(initial=-1)) + 1, dtype=np.int64)
    scaled = np.bincount(labels) * count  # whole numbers: shares must not hang on rounding
    quotas, remainders = np.divmod(scaled, len(labels))
    quotas[np.argsort(-remainders, kind="stable")[: count - int(quotas.sum())]] += 1
    return quotas


def held_out(labels: np.ndarray, quotas: np.ndarray, seed: int) -> np.ndarray:
    """The positions of `quotas[c]` images of each class c, drawn by the seed, in ascending order.

    Raises:
        ValueError: a class has fewer images than its quota.
    """
    order = shuffled(len(labels), seed)
    drawn = labels[order]
    chosen = []
    for index, quota in enumerate(quotas):
        members = order[drawn == index]
        if quota > len(members):
            raise ValueError(f"class {index} has {len(members)} images: cannot hold out {quota}")
        chosen.append(members[:quota])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


def carve(images: Images, quotas: np.ndarray, seed: int) -> tuple[Images, Images]:
    """Splits images into those that stay and those held out, both in their original order.

    The images that stay move up inside the memory of `images`, which must not be used afterwards: a whole second copy
    would double the memory a dataset needs.
    """
    labels = images.labels.numpy()
    out = held_out(labels, quotas, seed)
    stays = np.delete(np.arange(len(images)), out)
    apart = images.take(out)
    pixels = images.pixels.numpy()
    # A target row never lies behind its source row, so a block only overwrites rows that have been read.
    for start in range(0, len(stays), IMAGES_AT_ONCE):
        block = stays[start : start + IMAGES_AT_ONCE]
        if block[0] != start or block[-1] != start + len(block) - 1:
            pixels[start : start + len(block)] = pixels[block]
    kept = torch.from_numpy(labels[stays])
    files = None if images.files is None else images.files[stays]
    return Images(images.pixels[: len(stays)], kept, images.classes, files), apart
