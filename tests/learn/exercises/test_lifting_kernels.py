import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("lifting_kernels")


def turned(weight, h):
    for _ in range(h % 4):
        weight = weight.transpose(-1, -2).flip(-2)
    return weight


@WRONG("the kernels turn clockwise")
def clockwise(weight):
    return torch.stack([turned(weight, -h) for h in range(4)], dim=1)


@WRONG("the kernels turn clockwise")
def other_dims(weight):
    return torch.stack([torch.rot90(weight, h, (-1, -2)) for h in range(4)], dim=1)


@WRONG("the group axis comes first")
def stacked(weight):
    return torch.stack([turned(weight, h) for h in range(4)])


@WRONG("the group axis comes after the input channels")
def late_axis(weight):
    return torch.stack([turned(weight, h) for h in range(4)], dim=-3)


@WRONG("the kernels are copies and not turned")
def repeated(weight):
    return weight.unsqueeze(1).repeat(1, 4, 1, 1, 1)


@WRONG("entry 0 is turned already")
def from_one(weight):
    return torch.stack([turned(weight, h) for h in (1, 2, 3, 4)], dim=1)


@WRONG("half turns instead of right angles")
def half_turns(weight):
    return torch.stack([turned(weight, h) for h in (0, 2, 0, 2)], dim=1)


@WRONG("there are mirror images among the kernels")
def transposes(weight):
    t = weight.transpose(-1, -2)
    return torch.stack([weight, t, turned(weight, 2), turned(t, 2)], dim=1)


@WRONG("the kernels are flipped instead of turned")
def flips(weight):
    return torch.stack([weight, weight.flip(3), weight.flip(2), weight.flip(2).flip(3)], dim=1)


@WRONG("the group axis is folded into the output channels")
def folded(weight):
    out = torch.stack([turned(weight, h) for h in range(4)], dim=1)
    return out.reshape(-1, *weight.shape[1:])


@WRONG("each entry is turned from the one before by its number")
def cumulative(weight):
    out = []
    for h in range(4):
        weight = turned(weight, h)
        out.append(weight)
    return torch.stack(out, dim=1)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
