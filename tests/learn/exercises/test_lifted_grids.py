import math

import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("lifted_grids")


def student(order, size, sign=-1, step=None, line=None, indexing="ij"):
    line = torch.linspace(-1, 1, size) if line is None else line
    x, y = torch.meshgrid(line, line, indexing=indexing)
    grids = []
    for h in range(order):
        angle = sign * h * (2 * math.pi / order if step is None else step)
        c, s = math.cos(angle), math.sin(angle)
        grids.append(torch.stack([c * x - s * y, s * x + c * y], dim=-1))
    return torch.stack(grids)


@WRONG("the elements are not inverted")
def forwards(order, size):
    return student(order, size, sign=1)


@WRONG("the grid's axes are swapped")
def xy(order, size):
    return student(order, size, indexing="xy")


@WRONG("the coordinates are swapped")
def both(order, size):
    return student(order, size, sign=1, indexing="xy")


@WRONG("half of every angle")
def pi(order, size):
    return student(order, size, step=math.pi / order)


@WRONG("the identity is missing")
def from_one(order, size):
    return student(order + 1, size, step=2 * math.pi / order)[1:]


@WRONG("the angles reach the full turn")
def linspace(order, size):
    return student(order, size, step=2 * math.pi / (order - 1))


@WRONG("the coordinates are those of pixels")
def pixels(order, size):
    return student(order, size, line=torch.arange(size) - (size - 1) / 2)


@WRONG("the coordinates are not the last axis")
def first_axis(order, size):
    return torch.movedim(student(order, size), -1, 1)


@WRONG("the grid is not turned at all")
def copies(order, size):
    return student(1, size).repeat(order, 1, 1, 1)


@WRONG("the coordinates are swapped")
def rolled(order, size):
    return student(order, size).roll(shifts=1, dims=-1)


@WRONG("only one grid")
def single(order, size):
    return student(1, size)[0]


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
