import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("jacobian_chain")


@WRONG("the mean's 1 / n is missing")
def no_n(x):
    j = torch.diag(6 * (x + 2))
    return torch.ones(len(x)), j, torch.ones(len(x)) @ j


@WRONG("the Jacobian is only its diagonal")
def vector(x):
    row, d = torch.ones_like(x) / x.numel(), 6 * x + 12
    return row, d, row * d


@WRONG("every row of the Jacobian is full")
def full(x):
    n = len(x)
    return torch.full((n,), 1 / n), (6 * (x + 2)).repeat(n, 1), 6 * (x + 2) / n


@WRONG("the factor 2 of the square is missing")
def no_two(x):
    row, j = torch.ones_like(x) / len(x), torch.eye(len(x)) * 3 * (x + 2)
    return row, j, row @ j


@WRONG("the factor 3 is missing")
def no_three(x):
    row, j = torch.ones_like(x) / len(x), torch.eye(len(x)) * 2 * (x + 2)
    return row, j, row @ j


@WRONG("the derivative is taken at x instead of y")
def at_x(x):
    row, j = torch.ones_like(x) / len(x), torch.eye(len(x)) * 6 * x
    return row, j, row @ j


@WRONG("the last product lacks the mean's row")
def column_sums(x):
    row, j = torch.ones_like(x) / len(x), torch.eye(len(x)) * 6 * (x + 2)
    return row, j, j.sum(0)


@WRONG("the last product is multiplied element by element")
def hadamard(x):
    row, j = torch.ones_like(x) / len(x), torch.diag(6 * (x + 2))
    return row, j, j * row


@WRONG("the chain is summed to one number")
def total(x):
    row, j = torch.ones_like(x) / len(x), torch.diag(6 * (x + 2))
    return row, j, (row @ j).sum()


@WRONG("the identity instead of the Jacobian of the square")
def identity(x):
    row = torch.ones_like(x) / len(x)
    return row, torch.eye(len(x)), row @ torch.eye(len(x))


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
