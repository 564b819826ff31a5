"""Moving pixels to other places: one order for everything, one for each batch, one for each image."""

import torch
from torch import Tensor

from gradlab import rng

_KEY_BITS = 24  # what a single-precision uniform number holds
_WORD = 2**32 - 1


class FixedShuffle:
    """Puts the pixels of every image into one random order, the same for all images, splits and training seeds.

    All channels of a pixel move together; the type of the pixels stays.

    Args:
        side: height and width of the images.
        seed: picks the order.

    Source: handbook, practical 1, part 3 and practical 2, part 3.
    """

    uniforms = 0

    def __init__(self, side: int, seed: int) -> None:
        self.order = torch.randperm(side * side, generator=rng.generator(seed, "pixel order"))

    def __call__(self, images: Tensor, uniforms: Tensor | None = None) -> Tensor:
        """Returns the shuffled images: new pixel k is the old pixel `order[k]`, rows first; `uniforms` is not read.

        Raises:
            ValueError: the images have another size.
        """
        if images.shape[-1] * images.shape[-2] != len(self.order):
            raise ValueError(f"this order is for {len(self.order)} pixels: got {images.shape[-2]}x{images.shape[-1]}")
        if self.order.device != images.device:
            self.order = self.order.to(images.device)
        return images.flatten(2).index_select(2, self.order).view_as(images)


class ImageShuffle:
    """Puts the pixels of every image into a random order of its own, which its uniform numbers alone decide.

    All channels of a pixel move together; the type of the pixels stays.

    Source: handbook, practical 1, part 3 ("per batch/image").
    """

    uniforms = 2

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the shuffled images, given uniforms [batch, 2]."""
        orders = random_orders(uniforms, images.shape[-1] * images.shape[-2])
        channels = images.shape[1]
        return images.flatten(2).gather(2, orders.unsqueeze(1).expand(-1, channels, -1)).view_as(images)


class BatchShuffle:
    """Puts the pixels of a batch's images into one random order, which the uniform numbers of its first image decide.

    All channels of a pixel move together; the type of the pixels stays. Which images meet in a batch matters here by
    intention, unlike for any other transform; `whole_batch` tells the training loop to keep the batches of seeds that
    run together apart.

    Source: handbook, practical 1, part 3 ("at each training and validation step, sample a new shuffle").
    """

    uniforms = 2
    whole_batch = True
    one_draw = True

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the shuffled images, given uniforms [batch, 2]."""
        order = random_orders(uniforms[:1], images.shape[-1] * images.shape[-2])[0]
        return images.flatten(2).index_select(2, order).view_as(images)


def random_orders(uniforms: Tensor, count: int) -> Tensor:
    """A permutation of 0 to count - 1 for each row of uniform numbers [batch, 2], int64 [batch, count].

    Positions are sorted by a hash of row and position, so an order needs no generator and no state. The hash takes
    different positions of a row to different numbers: there are no ties.
    """
    first, second = (uniforms * 2**_KEY_BITS).long().unbind(1)
    keys = _hash(_hash(first) ^ second).unsqueeze(1)
    positions = torch.arange(count, device=uniforms.device)
    return _hash((keys + positions * 0x9E3779B9) & _WORD).argsort(dim=1)


def _hash(words: Tensor) -> Tensor:
    """A bijection of 32-bit words that changes about half of the bits when one bit of its argument changes.

    Source: Wellons 2018, "Prospecting for hash functions". Its factors are below 2^31, so no product leaves int64.
    """
    words = words ^ (words >> 15)
    words = (words * 0x2C1B3C6D) & _WORD
    words = words ^ (words >> 12)
    words = (words * 0x297A2D39) & _WORD
    return words ^ (words >> 15)
