import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("equivariance_error")


def turn(x, times=1):
    for _ in range(times):
        x = x.transpose(-1, -2).flip(-2)
    return x


def shift(maps, by=1):
    return maps[:, :, [(h - by) % 4 for h in range(4)]]


def largest(a, b):
    return torch.abs(a - b).max().item()


@WRONG("the group axis is not shifted")
def no_shift(layer, images):
    return largest(layer(turn(images)), turn(layer(images)))


@WRONG("the group axis is shifted backwards")
def backwards(layer, images):
    return largest(layer(turn(images)), shift(turn(layer(images)), -1))


@WRONG("the maps are not turned")
def unturned(layer, images):
    return largest(layer(turn(images)), shift(layer(images)))


@WRONG("the maps turn the other way")
def other_way(layer, images):
    return largest(layer(turn(images)), shift(turn(layer(images), 3)))


@WRONG("the images turn clockwise")
def clockwise(layer, images):
    return largest(layer(turn(images, 3)), shift(turn(layer(images))))


@WRONG("the images are not turned")
def same_images(layer, images):
    return largest(layer(images), shift(turn(layer(images))))


@WRONG("invariance is measured instead")
def invariance(layer, images):
    return largest(layer(turn(images)), layer(images))


@WRONG("the mean instead of the largest difference")
def mean(layer, images):
    return (layer(turn(images)) - shift(turn(layer(images)))).abs().mean().item()


@WRONG("differences cancel")
def signed(layer, images):
    return (layer(turn(images)) - shift(turn(layer(images)))).max().item()


@WRONG("squared differences")
def squared(layer, images):
    return ((layer(turn(images)) - shift(turn(layer(images)))) ** 2).max().item()


@WRONG("the largest magnitudes are compared")
def magnitudes(layer, images):
    return (layer(turn(images)).abs().max() - layer(images).abs().max()).abs().item()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
