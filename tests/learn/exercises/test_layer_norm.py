import pytest
import torch
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("layer_norm")


@WRONG("the variance is the unbiased one")
def default_std(x, gamma, beta):
    std = torch.sqrt(x.var(dim=-1, keepdim=True) + 1e-5)
    return (x - x.mean(dim=-1, keepdim=True)) / std * gamma + beta


@WRONG("normalised over the batch")
def columns(x, gamma, beta):
    x = (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, unbiased=False) + 1e-5)
    return x * gamma + beta


@WRONG("normalised over everything at once")
def everything(x, gamma, beta):
    return F.layer_norm(x, x.shape) * gamma + beta


@WRONG("divided by the variance")
def no_root(x, gamma, beta):
    var = x.var(-1, unbiased=False, keepdim=True) + 1e-5
    return (x - x.mean(-1, keepdim=True)) / var * gamma + beta


@WRONG("the mean is not taken off")
def no_mean(x, gamma, beta):
    return (
        F.layer_norm(x, x.shape[-1:]) * gamma
        + beta
        + gamma * x.mean(-1, keepdim=True) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    )


@WRONG("1e-5 is added outside the root")
def eps_outside(x, gamma, beta):
    std = x.std(-1, unbiased=False, keepdim=True) + 1e-5
    return (x - x.mean(-1, keepdim=True)) / std * gamma + beta


@WRONG("gamma and beta are swapped")
def swapped(x, gamma, beta):
    return F.layer_norm(x, x.shape[-1:], beta, gamma)


@WRONG("gamma is missing")
def no_gamma(x, gamma, beta):
    return F.layer_norm(x, x.shape[-1:], bias=beta)


@WRONG("beta is missing")
def no_beta(x, gamma, beta):
    return F.layer_norm(x, x.shape[-1:], weight=gamma)


@WRONG("beta is scaled by gamma")
def parentheses(x, gamma, beta):
    return gamma * (F.layer_norm(x, x.shape[-1:]) + beta)


@WRONG("the second moment instead of the variance")
def mean_square(x, gamma, beta):
    return gamma * (x - x.mean(-1, keepdim=True)) / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-5) + beta


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
