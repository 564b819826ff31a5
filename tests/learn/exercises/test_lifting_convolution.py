import pytest
import torch
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("lifting_convolution")


def each(images, kernels):
    return torch.stack([F.conv2d(images, kernels[:, h]) for h in range(kernels.shape[1])], dim=2)


@WRONG("the group axis is still folded")
def folded(images, kernels):
    return F.conv2d(images, kernels.reshape(-1, *kernels.shape[2:]))


@WRONG("channels and group elements are swapped")
def stacked(images, kernels):
    return torch.stack([F.conv2d(images, kernels[:, h]) for h in range(kernels.shape[1])], dim=1)


@WRONG("the channels are unfolded in the wrong order")
def wrong_view(images, kernels):
    out = F.conv2d(images, kernels.reshape(-1, *kernels.shape[2:]))
    return out.view(len(images), kernels.shape[1], kernels.shape[0], *out.shape[2:])


@WRONG("the kernels are folded in the wrong order")
def wrong_fold(images, kernels):
    out = F.conv2d(images, torch.cat(list(kernels.unbind(1))))
    return out.view(len(images), *kernels.shape[:2], *out.shape[2:])


@WRONG("height and width are swapped")
def as_in_the_handbook(images, kernels):
    out = F.conv2d(images, kernels.reshape(-1, *kernels.shape[2:]))
    return out.view(-1, kernels.shape[0], kernels.shape[1], out.shape[-1], out.shape[-2])


@WRONG("the kernels are flipped")
def flipped(images, kernels):
    return each(images, torch.flip(kernels, (3, 4)))


@WRONG("the group elements are summed")
def summed(images, kernels):
    return sum(F.conv2d(images, kernels[:, h]) for h in range(kernels.shape[1]))


@WRONG("only the first element's kernels are used")
def first_only(images, kernels):
    return F.conv2d(images, kernels.select(1, 0))


@WRONG("the images are padded")
def padded(images, kernels):
    p = kernels.shape[-1] // 2
    return each(F.pad(images, (p, p, p, p)), kernels)


@WRONG("the group elements run backwards")
def backwards(images, kernels):
    return torch.stack([F.conv2d(images, k) for k in reversed(kernels.unbind(1))], dim=2)


@WRONG("the first element's kernels serve for all")
def shared(images, kernels):
    out = F.conv2d(images, kernels[:, 0])
    return out[:, :, None].repeat(1, 1, kernels.shape[1], 1, 1)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
