import math

import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("sinusoidal_positions")


def student(length, size, sine=math.sin, cosine=math.cos, base=10000, power=lambda i, d: 2 * i / d, first=0):
    out = torch.zeros(length, size)
    for t in range(length):
        for i in range(size // 2):
            angle = (t + first) / base ** power(i, size)
            out[t, 2 * i], out[t, 2 * i + 1] = sine(angle), cosine(angle)
    return out


@WRONG("sines and cosines are swapped")
def swapped(length, size):
    return student(length, size, math.cos, math.sin)


@WRONG("first all sines, then all cosines")
def halves(length, size):
    out = student(length, size)
    return torch.cat([out[:, ::2], out[:, 1::2]], dim=1)


@WRONG("the exponent is i / size instead of 2 i / size")
def half_exponent(length, size):
    return student(length, size, power=lambda i, d: i / d)


@WRONG("the exponent is doubled")
def double_exponent(length, size):
    return student(length, size, power=lambda i, d: 4 * i / d)


@WRONG("the frequencies grow")
def multiplies(length, size):
    return student(length, size, base=1 / 10000)


@WRONG("1000 instead of 10000")
def small_base(length, size):
    return student(length, size, base=1e3)


@WRONG("the positions are counted from 1")
def from_one(length, size):
    return student(length + 1, size)[1:]


@WRONG("rows and columns are swapped")
def transposed(length, size):
    return student(length, size).t()


@WRONG("odd columns have a frequency of their own")
def per_column(length, size):
    out = torch.zeros(length, size)
    for j in range(size):
        angle = torch.arange(length) / 10000 ** (j / size)
        out[:, j] = angle.cos() if j % 2 else angle.sin()
    return out


@WRONG("only sines")
def sines(length, size):
    return student(length, size, cosine=math.sin)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
