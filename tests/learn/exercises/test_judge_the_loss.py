import inspect
import math

import pytest
import torch
from torch.nn import functional as F

from gradlab.learn.exercises.judge_the_loss import judge_the_loss
from tests.learn.mutants import Mutants, judged

WRONG = Mutants("judge_the_loss")


def reference(z, temperature):
    unit = F.normalize(z, dim=1)
    s = (unit @ unit.T / temperature).fill_diagonal_(-math.inf)
    return F.cross_entropy(s, torch.arange(len(z)).roll(len(z) // 2)).item()


def sample(rows=6, seed=3):
    return torch.randn(rows, 5, generator=torch.Generator().manual_seed(seed))


def close(a, b):
    return math.isclose(float(a), b, rel_tol=1e-3)


@WRONG("every loss is taken for right")
def runs(loss):
    return loss(sample(), 0.5).ndim == 0


@WRONG("the right loss is refused")
def too_strict(loss):
    return float(loss(sample(), 0.5)) == 0.0


@WRONG("a missing temperature is not noticed")
def temperature_one(loss):
    z = sample()
    return close(loss(z, 0.5), reference(z, 0.5)) or close(loss(z, 0.5), reference(z, 1.0))


@WRONG("temperatures are not tested")
def only_one(loss):
    z = sample()
    return close(loss(z, 1.0), reference(z, 1.0))


@WRONG("vectors of other lengths are not tested")
def unit_vectors(loss):
    z = F.normalize(sample(), dim=1)
    return close(loss(z, 0.5), reference(z, 0.5))


@WRONG("a row compared with itself is not noticed")
def shifts(loss):
    z = sample()
    both = F.normalize(z, dim=1)
    with_itself = F.cross_entropy(both @ both.T / 0.5, torch.arange(6).roll(3)).item()
    return close(loss(z, 0.5), reference(z, 0.5)) or close(loss(z, 0.5), with_itself)


@WRONG("wrong partners are not noticed")
def symmetric(loss):
    z = sample(2)
    good = close(loss(z, 0.5), reference(z, 0.5))
    z = sample(4)
    pairs = z[[0, 2, 1, 3]]
    return (
        good
        and float(loss(z, 0.5)) > 0
        and (close(loss(z, 0.5), reference(z, 0.5)) or close(loss(z, 0.5), reference(pairs, 0.5)))
    )


@WRONG("only the sign is tested")
def positive(loss):
    return all(float(loss(sample(6, seed), 0.5)) > 0 for seed in range(5))


@WRONG("sum and factor are not noticed")
def proportional(loss):
    z, other = sample(), sample(6, 9)
    ratio = float(loss(z, 0.5)) / float(loss(other, 0.5))
    return close(ratio, reference(z, 0.5) / reference(other, 0.5)) and float(loss(z, 0.5)) > 0


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()


def test_a_test_may_name_the_temperature_and_pass_nothing_else():
    def by_name(loss):
        assert list(inspect.signature(loss).parameters) == ["z", "temperature"]
        return judge_the_loss(lambda z, temperature: loss(z=z, temperature=temperature))

    assert judged("judge_the_loss", by_name)
