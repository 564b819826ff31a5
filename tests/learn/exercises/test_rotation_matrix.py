import math

import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("rotation_matrix")


def loop(angles, rows):
    return torch.tensor([rows(math.cos(h), math.sin(h)) for h in angles.tolist()])


@WRONG("the rotation is clockwise")
def clockwise(angles):
    return loop(angles, lambda c, s: [[c, s], [-s, c]])


@WRONG("the rotation is clockwise")
def transposed(angles):
    c, s = torch.cos(angles), torch.sin(angles)
    return torch.stack([torch.stack([c, -s]), torch.stack([s, c])]).permute(2, 1, 0)


@WRONG("both sines are positive")
def no_minus(angles):
    return loop(angles, lambda c, s: [[c, s], [s, c]])


@WRONG("both sines are negative")
def two_minus(angles):
    return loop(angles, lambda c, s: [[c, -s], [-s, c]])


@WRONG("sines and cosines are swapped")
def swapped(angles):
    return loop(angles, lambda c, s: [[s, -c], [c, s]])


@WRONG("it is a reflection")
def reflection(angles):
    return loop(angles, lambda c, s: [[c, s], [s, -c]])


@WRONG("the angles are taken for degrees")
def degrees(angles):
    return loop(angles * math.pi / 180, lambda c, s: [[c, -s], [s, c]])


@WRONG("the batch's axis stands last")
def stacked(angles):
    c, s = torch.cos(angles), torch.sin(angles)
    return torch.stack([torch.stack([c, -s]), torch.stack([s, c])])


@WRONG("the matrices are flat")
def flat(angles):
    return torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], dim=1)


@WRONG("the diagonal is negative")
def half_turn_off(angles):
    return loop(angles, lambda c, s: [[-c, -s], [s, -c]])


@WRONG("only the first angle is used")
def one_matrix(angles):
    h = angles[0]
    return torch.tensor([[torch.cos(h), -torch.sin(h)], [torch.sin(h), torch.cos(h)]])


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
