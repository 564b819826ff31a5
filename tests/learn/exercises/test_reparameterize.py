import math

import pytest
import torch
from torch.distributions import Normal

from tests.learn.mutants import Mutants

WRONG = Mutants("reparameterize")


def sample(mu, log_sigma, noise):
    return noise * torch.exp(log_sigma) + mu


def density(mu, log_sigma, z):
    return Normal(mu, torch.exp(log_sigma)).log_prob(z)


def no_exp(mu, log_sigma, noise):
    return torch.addcmul(mu, log_sigma, noise)


WRONG.add("log_sigma serves as sigma in the sample", "no_exp", rsample=no_exp, log_prob=density)


def variance(mu, log_sigma, noise):
    sigma = torch.exp(log_sigma)
    return mu + sigma * sigma * noise


WRONG.add("the sample uses the variance", "variance", rsample=variance, log_prob=density)


def log_variance(mu, log_sigma, noise):
    return mu + torch.exp(log_sigma).sqrt() * noise


WRONG.add("log_sigma is taken for the log of the variance", "log_variance", rsample=log_variance, log_prob=density)


def centred(mu, log_sigma, noise):
    return torch.exp(log_sigma) * noise + 0 * mu.detach()


WRONG.add("mu is missing from the sample", "centred", rsample=centred, log_prob=density)


def mean_and_sigma(mu, log_sigma, noise):
    return mu + torch.exp(log_sigma) * torch.ones_like(noise)


WRONG.add("there is no noise", "mean_and_sigma", rsample=mean_and_sigma, log_prob=density)


@torch.no_grad()
def no_grad(mu, log_sigma, noise):
    return sample(mu, log_sigma, noise)


WRONG.add("the sample is detached", "no_grad", rsample=no_grad, log_prob=density)


def data(mu, log_sigma, noise):
    return mu + torch.exp(log_sigma.data) * noise


WRONG.add("no gradient reaches log_sigma", "data", rsample=data, log_prob=density)


def no_log_sigma(mu, log_sigma, z):
    return -0.5 * math.log(2 * math.pi) - (z - mu) ** 2 / (2 * torch.exp(2 * log_sigma))


WRONG.add("- log sigma is missing from the density", "no_log_sigma", rsample=sample, log_prob=no_log_sigma)


def plus(mu, log_sigma, z):
    return log_sigma + no_log_sigma(mu, log_sigma, z)


WRONG.add("log sigma has a plus in the density", "plus", rsample=sample, log_prob=plus)


def no_constant(mu, log_sigma, z):
    return -log_sigma - (z - mu) ** 2 / (2 * torch.exp(log_sigma) ** 2)


WRONG.add("the constant of the density is missing", "no_constant", rsample=sample, log_prob=no_constant)


def no_half(mu, log_sigma, z):
    return -log_sigma - 0.5 * math.log(2 * math.pi) - (z - mu) ** 2 / torch.exp(log_sigma) ** 2


WRONG.add("the square of the density lacks its half", "no_half", rsample=sample, log_prob=no_half)


def over_sigma(mu, log_sigma, z):
    return -log_sigma - 0.5 * math.log(2 * math.pi) - (z - mu) ** 2 / (2 * torch.exp(log_sigma))


WRONG.add("divided by sigma instead of its square", "over_sigma", rsample=sample, log_prob=over_sigma)


def likelihood(mu, log_sigma, z):
    sigma = torch.exp(log_sigma)
    return torch.exp(-((z - mu) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))


WRONG.add("the density itself", "likelihood", rsample=sample, log_prob=likelihood)
WRONG.add(
    "the log densities are summed",
    "joint",
    rsample=sample,
    log_prob=lambda mu, log_sigma, z: density(mu, log_sigma, z).sum(-1),
)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
