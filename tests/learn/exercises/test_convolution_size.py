import math

import pytest

from tests.learn.mutants import Mutants

WRONG = Mutants("convolution_size")


@WRONG("the last + 1 is missing")
def no_one(size, kernel, stride, padding, dilation):
    span = (kernel - 1) * dilation + 1
    return (size + 2 * padding - span) // stride


@WRONG("the padding counts once only")
def one_side(size, kernel, stride, padding, dilation):
    return (size + padding - (kernel - 1) * dilation - 1) // stride + 1


@WRONG("the padding is missing")
def no_padding(size, kernel, stride, padding, dilation):
    return len(range(0, size - (kernel - 1) * dilation, stride))


@WRONG("the dilation is missing")
def cheat_sheet(size, kernel, stride, padding, dilation):
    return math.floor((size + 2 * padding - kernel) / stride) + 1


@WRONG("the dilation multiplies the whole kernel")
def dilated(size, kernel, stride, padding, dilation):
    return (size + 2 * padding - kernel * dilation) // stride + 1


@WRONG("rounded up instead of down")
def ceil(size, kernel, stride, padding, dilation):
    return math.ceil((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)


@WRONG("divided without rounding down")
def true_division(size, kernel, stride, padding, dilation):
    return 1 + (size + 2 * padding - dilation * (kernel - 1) - 1) / stride


@WRONG("the stride is missing")
def no_stride(size, kernel, stride, padding, dilation):
    return len(range(size + 2 * padding - dilation * (kernel - 1)))


@WRONG("the + 1 is divided as well")
def parentheses(size, kernel, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel - 1) - 1 + 1) // stride


@WRONG("the kernel counts one too few")
def fence_post(size, kernel, stride, padding, dilation):
    return int((size + 2 * padding - dilation * (kernel - 1)) / stride) + 1


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
