import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("cosine_similarities")


@WRONG("the vectors are not normalised")
def products(z):
    return torch.einsum("id,jd->ij", z, z)


@WRONG("the columns are normalised")
def columns(z):
    unit = torch.nn.functional.normalize(z, dim=0)
    return unit @ unit.t()


@WRONG("divided by the squared lengths of both")
def no_root(z):
    squares = (z * z).sum(dim=1)
    return z @ z.T / (squares[:, None] * squares[None, :])


@WRONG("all are divided by the length of everything")
def one_length(z):
    unit = z / torch.linalg.norm(z)
    return unit @ unit.T


@WRONG("only one of the two vectors is normalised")
def one_side(z):
    return z @ z.T / z.norm(dim=1)[:, None]


@WRONG("the coordinates are compared instead of the vectors")
def transposed(z):
    unit = torch.nn.functional.normalize(z, dim=1)
    return unit.T @ unit


@WRONG("the vectors are centred first")
def correlation(z):
    return torch.corrcoef(z)


@WRONG("sums of absolute values as lengths")
def l1(z):
    unit = torch.nn.functional.normalize(z, p=1, dim=1)
    return unit @ unit.T


@WRONG("the diagonal is taken out")
def no_diagonal(z):
    unit = torch.nn.functional.normalize(z, dim=1)
    return (unit @ unit.T).fill_diagonal_(0)


@WRONG("distances instead of similarities")
def distances(z):
    unit = torch.nn.functional.normalize(z, dim=1)
    return 1 - torch.mm(unit, unit.t())


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
