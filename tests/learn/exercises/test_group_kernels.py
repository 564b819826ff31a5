import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("group_kernels")


def student(weight, source, turn):
    out = torch.empty(weight.shape[0], 4, *weight.shape[1:])
    for h in range(4):
        for g in range(4):
            out[:, h, :, g] = torch.rot90(weight[:, :, source(h, g) % 4], turn(h), (2, 3))
    return out


@WRONG("the input elements are not shifted")
def unshifted(weight):
    return student(weight, lambda h, g: g, lambda h: h)


@WRONG("the input elements are shifted backwards")
def backwards(weight):
    return student(weight, lambda h, g: g + h, lambda h: h)


@WRONG("the kernels are not turned")
def unturned(weight):
    return student(weight, lambda h, g: g - h, lambda h: 0)


@WRONG("the kernels turn clockwise")
def clockwise(weight):
    return student(weight, lambda h, g: g - h, lambda h: -h)


@WRONG("turned and shifted backwards")
def all_backwards(weight):
    return student(weight, lambda h, g: g + h, lambda h: -h)


@WRONG("the kernels are copies")
def copies(weight):
    return weight[:, None].repeat(1, 4, 1, 1, 1, 1)


@WRONG("the output elements come first")
def first_axis(weight):
    return student(weight, lambda h, g: g - h, lambda h: h).transpose(0, 1)


@WRONG("the output elements stand beside the input elements")
def beside(weight):
    return student(weight, lambda h, g: g - h, lambda h: h).transpose(1, 2)


@WRONG("the input channels are shifted")
def channels(weight):
    return torch.stack([torch.roll(torch.rot90(weight, h, (3, 4)), h, 1) for h in range(4)], 1)


@WRONG("the input elements are reversed")
def reversed_elements(weight):
    return student(weight, lambda h, g: h - g, lambda h: h)


@WRONG("input and output elements are swapped")
def swapped(weight):
    return torch.movedim(student(weight, lambda h, g: g - h, lambda h: h), (1, 3), (3, 1))


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
