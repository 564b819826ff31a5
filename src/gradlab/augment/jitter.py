"""Brightness, contrast, saturation and hue changed at random, in a random order."""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from gradlab.augment.pixels import grey, shift_hue, to_floats

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
ORDERS = tuple(itertools.permutations(range(4)))


class Jitter(NamedTuple):
    """What happens to each image of a batch; factors of 1 and a turn of 0 change nothing.

    Args:
        factors: [batch, 4], of brightness, contrast and saturation; the fourth is 1.
        turns: [batch], how far hues turn, 1 being the whole wheel.
        order: int64 [batch, 4], the operations (0 brightness, 1 contrast, 2 saturation, 3 hue), first to last.
    """

    factors: Tensor
    turns: Tensor
    order: Tensor


class ColorJitter:
    """Changes brightness, contrast, saturation and hue of every image by its own amounts, in its own random order.

    uint8 [0, 255] or float in, float out on the scale [0, 1], where every operation ends. An amount a draws a factor
    that is uniform in [max(0, 1 - a), 1 + a]; hues turn by a share of the wheel, uniform in [-hue, hue]. For the same
    numbers each operation gives what torchvision's gives for float tensors. One channel has neither hue nor saturation.

    Args:
        brightness: at 0 the image is black.
        contrast: at 0 the image is its mean grey.
        saturation: at 0 the image is grey.
        hue: in [0, 0.5].
        p: the share of images that are changed at all, in [0, 1].
        dtype: of the output.

    Raises:
        ValueError: an amount or `p` is out of its range.

    Source: handbook, practical 5; Chen et al. 2020, "A simple framework for contrastive learning", appendix A.
    """

    uniforms = 6

    def __init__(
        self,
        brightness: float = 0,
        contrast: float = 0,
        saturation: float = 0,
        hue: float = 0,
        *,
        p: float = 1.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        amounts = (brightness, contrast, saturation)
        if not (all(amount >= 0 for amount in amounts) and 0 <= hue <= 0.5 and 0 <= p <= 1):
            raise ValueError(
                f"amounts must be >= 0, hue <= 0.5 and p a probability: got {brightness=}, {contrast=}, {saturation=}, "
                f"{hue=}, {p=}"
            )
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue
        self.p, self.dtype = p, dtype

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the images [batch, 1 or 3, height, width] in other colours, given uniforms [batch, 6]."""
        return jittered(to_floats(images, self.dtype), self.parameters(uniforms))

    def parameters(self, uniforms: Tensor) -> Jitter:
        """What these uniform numbers [batch, 6] do to each image."""
        chosen = uniforms[:, 0] < self.p
        draws = uniforms[:, 2:].to(self.dtype)
        factors = torch.ones_like(draws)
        for column, amount in enumerate((self.brightness, self.contrast, self.saturation)):
            low, high = max(0.0, 1 - amount), 1 + amount
            factors[:, column] = torch.where(chosen, low + (high - low) * draws[:, column], 1)
        turns = torch.where(chosen, (2 * draws[:, HUE] - 1) * self.hue, 0)
        orders = torch.tensor(ORDERS, device=uniforms.device)
        return Jitter(factors, turns, orders[(uniforms[:, 1] * len(ORDERS)).long()])


def jittered(images: Tensor, jitter: Jitter) -> Tensor:
    """The float images [batch, 1 or 3, height, width] in [0, 1] after their four operations."""
    # Three places before the hue and three after it, some of them empty: so the hue, which costs most, is worked out
    # once, and nothing depends on how many images share an order.
    places = torch.arange(4, device=images.device)
    hue_at = ((jitter.order == HUE) * places).sum(1, keepdim=True)
    before = torch.where(places < hue_at, jitter.order, HUE)[:, :3]
    after = torch.where(places > hue_at, jitter.order, HUE)[:, 1:]
    images = _mixed(images, before, jitter.factors)
    # Around the wheel and back leaves rounding: an image that is not to be turned stays as it is, exactly.
    turned = (jitter.turns != 0).to(images.dtype).view(-1, 1, 1, 1)
    return _mixed(torch.lerp(images, shift_hue(images, jitter.turns), turned), after, jitter.factors)


def _mixed(images: Tensor, operations: Tensor, factors: Tensor) -> Tensor:
    """The images after operations [batch, 3], each factor x image + (1 - factor) x black, mean grey or grey."""
    shape = (len(images), 3, 1, 1, 1)
    factors = factors.gather(1, operations)
    of_grey = torch.where(operations == SATURATION, 1 - factors, 0).view(shape)
    of_mean = torch.where(operations == CONTRAST, 1 - factors, 0).view(shape)
    for factor, saturating, contrasting in zip(
        factors.view(shape).unbind(1), of_grey.unbind(1), of_mean.unbind(1), strict=True
    ):
        brightness = grey(images)
        # Each image's mean over its own row, so that no sum depends on the batch.
        mean = brightness.flatten(1).mean(1).view(-1, 1, 1, 1)
        base = (brightness * saturating).add_(mean * contrasting)
        images = (images * factor).add_(base).clamp_(0, 1)
    return images
