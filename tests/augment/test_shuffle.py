import math

import pytest
import torch
from torch import Tensor

from gradlab import rng
from gradlab.augment import BatchShuffle, FixedShuffle, ImageShuffle, Pipeline, mixes_samples
from gradlab.augment.shuffle import random_orders


def numbered(count: int, channels: int = 2, side: int = 5) -> Tensor:
    """Images whose pixels say where they come from: channel c, place k is 100 c + k."""
    places = torch.arange(side * side).view(1, 1, side, side) + 100 * torch.arange(channels).view(1, -1, 1, 1)
    return places.expand(count, channels, side, side).to(torch.uint8)


def drawn(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 2, generator=torch.Generator().manual_seed(seed))


def orders_of(images: Tensor) -> Tensor:
    return images[:, 0].flatten(1).long()


def each_channel_alone(images: Tensor, uniforms: Tensor) -> Tensor:
    """Wrong: every channel of a pixel goes elsewhere."""
    orders = torch.stack([random_orders((uniforms + channel / 7) % 1, 25) for channel in range(images.shape[1])], 1)
    return images.flatten(2).gather(2, orders).view_as(images)


def with_repeats(images: Tensor, uniforms: Tensor) -> Tensor:
    """Wrong: draws places with repetition."""
    places = (uniforms[:, :1] * 7919 * torch.arange(1, 26)).long() % 25
    return images.flatten(2).gather(2, places.unsqueeze(1).expand(-1, images.shape[1], -1)).view_as(images)


def check_moves_whole_pixels(shuffle) -> None:
    images = numbered(6)
    found = shuffle(images, drawn(6))
    assert found.dtype == torch.uint8
    assert torch.equal(found[:, 1], found[:, 0] + 100), "the channels of a pixel stay together"
    assert torch.equal(orders_of(found).sort(1).values, torch.arange(25).expand(6, 25)), "each pixel is there once"
    assert not torch.equal(found, images)


@pytest.mark.parametrize("shuffle", [FixedShuffle(5, 0), ImageShuffle(), BatchShuffle()])
def test_whole_pixels_move(shuffle):
    check_moves_whole_pixels(shuffle)


@pytest.mark.parametrize("wrong", [each_channel_alone, with_repeats])
def test_other_moves_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_moves_whole_pixels(wrong)


def test_the_fixed_order_is_one_for_all_images_and_calls():
    shuffle = FixedShuffle(5, 3)
    order = torch.randperm(25, generator=rng.generator(3, "pixel order"))
    for count in (1, 7):
        assert torch.equal(orders_of(shuffle(numbered(count), drawn(count))), order.expand(count, 25))
    assert torch.equal(orders_of(shuffle(numbered(1)))[0], order), "without draws as well: it is not random"
    assert not torch.equal(FixedShuffle(5, 4).order, order)
    assert shuffle.uniforms == 0


def test_the_fixed_order_refuses_images_of_another_size():
    with pytest.raises(ValueError, match="this order is for 25 pixels: got 6x6"):
        FixedShuffle(5, 0)(torch.zeros(1, 1, 6, 6))


def test_an_image_s_order_depends_on_its_numbers_alone():
    images, uniforms = numbered(32), drawn(32)
    together = ImageShuffle()(images, uniforms)
    assert len(orders_of(together).unique(dim=0)) == 32
    for size in (1, 5, 20):
        parts = [ImageShuffle()(*part) for part in zip(images.split(size), uniforms.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together)


def test_a_batch_s_order_is_one_and_that_of_its_first_image():
    images, uniforms = numbered(8), drawn(8)
    found = orders_of(BatchShuffle()(images, uniforms))
    assert len(found.unique(dim=0)) == 1
    assert torch.equal(found[0], orders_of(ImageShuffle()(images, uniforms))[0])
    assert not torch.equal(found[0], orders_of(BatchShuffle()(images[1:], uniforms[1:]))[0])


def test_only_the_batch_s_shuffle_mixes_samples():
    assert mixes_samples(BatchShuffle())
    assert mixes_samples(Pipeline([FixedShuffle(5, 0), Pipeline([BatchShuffle()])]))
    assert not mixes_samples(Pipeline([FixedShuffle(5, 0), ImageShuffle()]))


def test_all_orders_are_equally_likely():
    """Chi-square with 23 degrees of freedom over the 24 orders of 4 pixels: above 58.6 once in 15,000."""
    orders = random_orders(drawn(12_000), 4)
    numbers = (orders * torch.tensor([64, 16, 4, 1])).sum(1)
    counts = torch.tensor(list(dict(zip(*numbers.unique(return_counts=True), strict=True)).values())).double()
    assert len(counts) == math.factorial(4)
    assert ((counts - 500) ** 2 / 500).sum() < 58.6


def test_neighbouring_numbers_give_unrelated_orders():
    """One unit in the last place of either number: of 784 pixels about 1 stays, as for two random orders."""
    unit = 2.0**-24
    base = random_orders(torch.tensor([[0.25, 0.75]]), 784)
    for near in ([0.25 + unit, 0.75], [0.25, 0.75 + unit], [0.75, 0.25]):
        assert (random_orders(torch.tensor([near]), 784) == base).sum() < 8


@pytest.mark.parametrize("count", [1, 2, 1000, 32 * 32, 96 * 96])
def test_orders_are_permutations_of_any_length(count):
    orders = random_orders(drawn(3), count)
    assert torch.equal(orders.sort(1).values, torch.arange(count).expand(3, count))


def test_orders_stay_the_same_in_every_version():
    """By the hash's definition in Python's whole numbers."""

    def mix(word: int) -> int:
        word ^= word >> 15
        word = word * 0x2C1B3C6D % 2**32
        word ^= word >> 12
        word = word * 0x297A2D39 % 2**32
        return word ^ word >> 15

    for first, second in [(0.0, 0.0), (0.25, 0.75), (1 - 2**-24, 0.5)]:
        key = mix(mix(int(first * 2**24)) ^ int(second * 2**24))
        expected = sorted(range(50), key=lambda place: mix((key + place * 0x9E3779B9) % 2**32))
        assert random_orders(torch.tensor([[first, second]]), 50)[0].tolist() == expected
