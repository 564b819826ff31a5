import pytest
import torch
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("group_convolution")


def loops(x, kernels, pick=lambda x, g: x[:, :, g], kernel=lambda k, h, g: k[:, h, :, g]):
    elements = range(kernels.shape[1])
    return torch.stack([sum(F.conv2d(pick(x, g), kernel(kernels, h, g)) for g in elements) for h in elements], dim=2)


@WRONG("input and output elements of the kernels are swapped")
def swapped(x, kernels):
    return loops(x, kernels, kernel=lambda k, h, g: k[:, g, :, h])


@WRONG("the maps are folded as (element, channel)")
def fold_maps(x, kernels):
    maps = torch.cat([x[:, :, g] for g in range(x.shape[2])], dim=1)
    out = F.conv2d(maps, kernels.reshape(-1, maps.shape[1], *kernels.shape[4:]))
    return out.view(len(x), *kernels.shape[:2], *out.shape[2:])


@WRONG("the kernels are folded as (element, channel)")
def fold_kernels(x, kernels):
    folded = kernels.permute(0, 1, 3, 2, 4, 5).reshape(-1, x.shape[1] * x.shape[2], *kernels.shape[4:])
    out = F.conv2d(x.flatten(1, 2), folded)
    return out.view(len(x), *kernels.shape[:2], *out.shape[2:])


@WRONG("the output elements are still folded")
def still_folded(x, kernels):
    return F.conv2d(x.flatten(1, 2), kernels.reshape(-1, x.shape[1] * x.shape[2], *kernels.shape[4:]))


@WRONG("channels and output elements are swapped")
def elements_first(x, kernels):
    return torch.movedim(loops(x, kernels), 2, 1)


@WRONG("height and width are swapped")
def as_in_the_handbook(x, kernels):
    out = F.conv2d(x.flatten(1, 2), kernels.reshape(-1, x.shape[1] * x.shape[2], *kernels.shape[4:]))
    return out.view(-1, kernels.shape[0], kernels.shape[1], out.shape[-1], out.shape[-2])


@WRONG("only the input element of the same number is used")
def pairs(x, kernels):
    return torch.stack([F.conv2d(x[:, :, h], kernels[:, h, :, h]) for h in range(x.shape[2])], 2)


@WRONG("the input elements are summed first")
def summed_first(x, kernels):
    return loops(x, kernels, pick=lambda x, g: x.sum(2))


@WRONG("the input elements are averaged")
def averaged(x, kernels):
    return loops(x / x.shape[2], kernels)


@WRONG("the kernels are flipped")
def flipped(x, kernels):
    return loops(x, torch.rot90(kernels, 2, (4, 5)))


@WRONG("the output elements are summed")
def summed(x, kernels):
    return F.conv2d(x.flatten(1, 2), kernels.sum(1).flatten(1, 2))


@WRONG("the channels are unfolded in the wrong order")
def unfolds(x, kernels):
    out = still_folded(x, kernels)
    return out.view(len(x), kernels.shape[1], kernels.shape[0], *out.shape[2:])


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
