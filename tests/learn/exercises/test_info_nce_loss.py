import pytest
import torch
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("info_nce_loss")


def student(z, temperature, masked=True, positives=None, reduce=torch.mean, unit=True):
    cos = F.cosine_similarity(z[:, None], z[None], dim=-1) if unit else z @ z.T
    mask = torch.eye(len(z), dtype=torch.bool)
    cos = cos.masked_fill(mask, -9e15) if masked else cos
    positive = mask.roll(shifts=len(z) // 2, dims=0) if positives is None else positives
    cos = cos / temperature
    return reduce(-cos[positive] + torch.logsumexp(cos, dim=-1))


@WRONG("a row is compared with itself")
def with_itself(z, temperature):
    return student(z, temperature, masked=False)


@WRONG("the diagonal is set to 0 instead of minus infinity")
def zero_diagonal(z, temperature):
    unit = F.normalize(z, dim=1)
    s = (unit @ unit.T) * (1 - torch.eye(len(z))) / temperature
    n = len(z) // 2
    return F.cross_entropy(s, (torch.arange(2 * n) + n) % (2 * n))


@WRONG("the temperature multiplies")
def times(z, temperature):
    return student(z, 1 / temperature)


@WRONG("the temperature is missing")
def no_temperature(z, temperature):
    return student(z, 1)


@WRONG("the vectors are not normalised")
def products(z, temperature):
    return student(z, temperature, unit=False)


@WRONG("neighbouring rows are taken for partners")
def pairs(z, temperature):
    rows = torch.arange(len(z))
    positive = rows[None] == torch.where(rows % 2 == 0, rows + 1, rows - 1)[:, None]
    return student(z, temperature, positives=positive)


@WRONG("the next row is taken for the partner")
def next_row(z, temperature):
    return student(z, temperature, positives=torch.eye(len(z), dtype=torch.bool).roll(1, 1))


@WRONG("the positive is missing from the sum")
def negatives(z, temperature):
    unit = F.normalize(z, dim=1)
    s = torch.exp(unit @ unit.T / temperature)
    n = len(z) // 2
    terms = []
    for i in range(2 * n):
        p = (i + n) % (2 * n)
        rest = sum(s[i, k] for k in range(2 * n) if k not in (i, p))
        terms.append(-torch.log(s[i, p] / rest))
    return torch.stack(terms).mean()


@WRONG("only the first half counts")
def one_view(z, temperature):
    unit, n = F.normalize(z, dim=1), len(z) // 2
    s = unit[:n] @ unit.T / temperature
    s[range(n), range(n)] = -torch.inf
    return F.cross_entropy(s, torch.arange(n, 2 * n))


@WRONG("the sum instead of the mean")
def total(z, temperature):
    return student(z, temperature, reduce=torch.sum)


@WRONG("divided by N instead of 2 N")
def over_n(z, temperature):
    return student(z, temperature, reduce=torch.sum) / (len(z) // 2)


@WRONG("the sign is flipped")
def negative(z, temperature):
    return -1 * student(z, temperature)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
