import pytest
import torch
from torch.nn import functional

from tests.learn.mutants import Mutants

WRONG = Mutants("convolve")


def loop(images, weight, bias, take):
    n, _, h, w = images.shape
    o, _, k, _ = weight.shape
    out = torch.zeros(n, o, h - k + 1, w - k + 1)
    for y in range(h - k + 1):
        for x in range(w - k + 1):
            window = images[:, None, :, y : y + k, x : x + k]
            out[:, :, y, x] = take(window, weight) + bias
    return out


@WRONG("the kernel is flipped")
def mathematicians(images, weight, bias):
    return loop(images, weight, bias, lambda window, w: (window * torch.flip(w, (-2, -1))).sum((2, 3, 4)))


@WRONG("the kernel is transposed")
def transposed(images, weight, bias):
    return loop(images, weight, bias, lambda window, w: (window * w.mT).sum((2, 3, 4)))


@WRONG("the bias is missing")
def no_bias(images, weight, bias):
    return loop(images, weight, 0 * bias, lambda window, w: (window * w).sum((2, 3, 4)))


@WRONG("the bias is added once for each weight")
def bias_inside(images, weight, bias):
    k = weight.shape[-1]
    h, w = images.shape[2] - k + 1, images.shape[3] - k + 1
    out = 0
    for i in range(k):
        for j in range(k):
            out = (
                out
                + torch.einsum("nchw,oc->nohw", images[..., i : i + h, j : j + w], weight[..., i, j])
                + bias.view(-1, 1, 1)
            )
    return out


@WRONG("the bias is added once for each input channel")
def bias_a_channel(images, weight, bias):
    return sum(functional.conv2d(images[:, c : c + 1], weight[:, c : c + 1], bias) for c in range(images.shape[1]))


@WRONG("the image is padded with zeros")
def padded(images, weight, bias):
    p = weight.shape[-1] // 2
    return loop(functional.pad(images, (p, p, p, p)), weight, bias, lambda window, w: (window * w).sum((2, 3, 4)))


@WRONG("the last row and column are missing")
def short(images, weight, bias):
    return loop(images[:, :, :-1, :-1], weight, bias, lambda window, w: (window * w).sum((2, 3, 4)))


@WRONG("the products are averaged over the input channels")
def channel_mean(images, weight, bias):
    return loop(images, weight, bias, lambda window, w: (window * w).mean(2).sum((2, 3)))


@WRONG("the products are averaged over the window")
def window_mean(images, weight, bias):
    return loop(images, weight, bias, lambda window, w: (window * w).mean((3, 4)).sum(2))


@WRONG("only the first input channel is used")
def grey(images, weight, bias):
    return loop(images, weight, bias, lambda window, w: (window[:, :, 0] * w[:, 0]).sum((2, 3)))


@WRONG("the windows do not overlap")
def strided(images, weight, bias):
    k = weight.shape[-1]
    windows = images.unfold(2, k, k).unfold(3, k, k)
    return torch.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
