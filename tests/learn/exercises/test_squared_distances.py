import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("squared_distances")


@WRONG("the distances are not squared")
def norm(a, b):
    return torch.linalg.norm(a.unsqueeze(1) - b.unsqueeze(0), dim=2)


@WRONG("rows and columns are swapped")
def b_first(a, b):
    return torch.stack([torch.stack([((p - q) ** 2).sum() for q in a]) for p in b])


@WRONG("the coordinates are averaged instead of summed")
def mean(a, b):
    return ((a.unsqueeze(1) - b.unsqueeze(0)) ** 2).mean(dim=2)


@WRONG("absolute differences instead of squares")
def manhattan(a, b):
    return torch.abs(a[:, None, :] - b[None, :, :]).sum(2)


@WRONG("the sum is squared instead of the differences")
def square_of_sum(a, b):
    return (a.sum(1)[:, None] - b.sum(1)[None]) ** 2


@WRONG("the sum runs over the points instead of the coordinates")
def over_b(a, b):
    d = a.unsqueeze(1) - b.unsqueeze(0)
    return (d * d).sum(dim=1)


@WRONG("the inner product instead of the distance")
def products(a, b):
    return torch.einsum("nd,md->nm", a, b)


@WRONG("the factor 2 of the mixed term is missing")
def no_two(a, b):
    return (a**2).sum(1, keepdim=True) - torch.mm(a, b.t()) + (b**2).sum(1, keepdim=True).t()


@WRONG("the mixed term has the wrong sign")
def plus(a, b):
    return (a**2).sum(1, keepdim=True) + 2 * torch.mm(a, b.t()) + (b**2).sum(1)


@WRONG("the coordinates are not summed")
def no_sum(a, b):
    return (a.unsqueeze(1) - b) ** 2


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
