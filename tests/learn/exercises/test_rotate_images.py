import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("rotate_images")


@WRONG("the images turn clockwise")
def clockwise(images, turns):
    for _ in range(turns % 4):
        images = images.flip(2).transpose(2, 3)
    return images


@WRONG("the images turn clockwise")
def other_flip(images, turns):
    for _ in range(turns % 4):
        images = images.transpose(2, 3).flip(3)
    return images


@WRONG("the images are only transposed")
def transposes(images, turns):
    for _ in range(turns % 4):
        images = images.permute(0, 1, 3, 2)
    return images


@WRONG("the turns are not counted")
def once(images, turns):
    return images.transpose(2, 3).flip(2)


@WRONG("negative turns do nothing")
def positive_only(images, turns):
    for _ in range(turns):
        images = images.transpose(-1, -2).flip(-2)
    return images


@WRONG("turned twice as far")
def half_turns(images, turns):
    for _ in range(turns % 4):
        images = images.flip(-1).flip(-2)
    return images


@WRONG("turned by one less")
def off_by_one(images, turns):
    for _ in range(1, turns % 4):
        images = images.transpose(-1, -2).flip(-2)
    return images


@WRONG("channels and rows are turned")
def wrong_axes(images, turns):
    for _ in range(turns % 4):
        images = images.transpose(1, 2).flip(1)
    return images


@WRONG("the images are mirrored left to right")
def mirror(images, turns):
    return images if turns % 4 == 0 else torch.fliplr(images.permute(2, 3, 0, 1)).permute(2, 3, 0, 1)


@WRONG("flipped at both axes for an odd turn")
def both_flips(images, turns):
    return images.flip(2).flip(3) if turns % 4 else images


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
