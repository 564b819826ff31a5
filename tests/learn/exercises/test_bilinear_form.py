import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("bilinear_form")


@WRONG("the result is transposed")
def transposed(x, weight, y):
    return torch.stack([((x @ w) * y).sum(1) for w in weight])


@WRONG("x and y are swapped")
def swapped(x, weight, y):
    return torch.stack([((y @ w) * x).sum(1) for w in weight], dim=1)


@WRONG("the batch is summed")
def no_batch(x, weight, y):
    return torch.stack([(x * (y @ w.T)).sum() for w in weight])


@WRONG("the outputs are summed")
def no_outputs(x, weight, y):
    return ((x @ weight.sum(0)) * y).sum(1)


@WRONG("samples meet each other")
def all_pairs(x, weight, y):
    return torch.stack([(x @ w @ y.T).sum(1) for w in weight], 1)


@WRONG("y is not used")
def forgets_y(x, weight, y):
    return torch.stack([(x @ w).sum(1) for w in weight], 1)


@WRONG("x is not used")
def forgets_x(x, weight, y):
    return torch.stack([(y @ w.T).sum(1) for w in weight], 1)


@WRONG("the sum over j is missing")
def stops_early(x, weight, y):
    return torch.stack([(x @ w) * y for w in weight], dim=1)


@WRONG("averaged instead of summed")
def mean(x, weight, y):
    outer = x[:, :, None] * y[:, None, :]
    return torch.stack([(outer * w).mean((1, 2)) for w in weight], 1)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
