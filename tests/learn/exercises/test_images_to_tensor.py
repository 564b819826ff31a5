import numpy as np
import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("images_to_tensor")


@WRONG("the image is reshaped instead of permuted")
def viewed(pixels):
    n, h, w, c = pixels.shape
    return pixels.view(n, c, h, w) / 255.0


@WRONG("height and width are swapped")
def transposed(pixels):
    return pixels.transpose(1, 3).float() / 255


@WRONG("the channels are still last")
def only_scaled(pixels):
    return pixels / 255


@WRONG("the numbers are not scaled to [0, 1]")
def only_permuted(pixels):
    return torch.movedim(pixels, -1, 1).to(torch.float32)


@WRONG("divided by 256 instead of 255")
def by_256(pixels):
    return torch.stack([image.permute(2, 0, 1) / 256 for image in pixels])


@WRONG("whole numbers are divided as whole numbers")
def floor_divided(pixels):
    return pixels.permute(0, 3, 1, 2).div(255, rounding_mode="floor").float()


@WRONG("whole numbers are divided as whole numbers")
def cast_too_late(pixels):
    return (pixels.permute(0, 3, 1, 2) / 255).to(torch.uint8).float()


@WRONG("scaled by the largest pixel of the batch")
def by_the_maximum(pixels):
    x = pixels.permute(0, 3, 1, 2).float()
    return x / x.max()


@WRONG("scaled to [-1, 1]")
def centred(pixels):
    x = pixels.permute(0, 3, 1, 2) / 255
    return (x - 0.5) / 0.5


@WRONG("an array is returned instead of a tensor")
def stays_in_numpy(pixels):
    return (pixels.numpy().transpose(0, 3, 1, 2) / 255).astype(np.float32)


@WRONG("nothing is returned")
def no_return(pixels):
    pixels.permute(0, 3, 1, 2).float().div(255)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
