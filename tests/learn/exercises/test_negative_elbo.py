import pytest
import torch
from torch.distributions import Bernoulli, Normal
from torch.distributions.kl import kl_divergence as kl

from tests.learn.mutants import Mutants

WRONG = Mutants("negative_elbo")


def log_px(logits, x):
    return Bernoulli(logits=logits, validate_args=False).log_prob(x)


def divergence(mu, log_sigma):
    return kl(Normal(mu, log_sigma.exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))


@WRONG("the divergence is taken off")
def plus_kl(logits, x, mu, log_sigma, beta):
    return -(log_px(logits, x).sum(1) + beta * divergence(mu, log_sigma).sum(1)).mean()


@WRONG("the ELBO itself")
def elbo(logits, x, mu, log_sigma, beta):
    return (log_px(logits, x).sum(1) - beta * divergence(mu, log_sigma).sum(1)).mean()


@WRONG("beta is missing")
def no_beta(logits, x, mu, log_sigma, beta):
    return -(log_px(logits, x).sum(1) - divergence(mu, log_sigma).sum(1)).mean()


@WRONG("beta weighs the reconstruction")
def wrong_beta(logits, x, mu, log_sigma, beta):
    return -(beta * log_px(logits, x).sum(1) - divergence(mu, log_sigma).sum(1)).mean()


@WRONG("the pixels are averaged")
def mean_pixels(logits, x, mu, log_sigma, beta):
    return -(log_px(logits, x).mean(dim=1) - beta * divergence(mu, log_sigma).sum(dim=1)).mean()


@WRONG("the latent numbers are averaged")
def mean_latent(logits, x, mu, log_sigma, beta):
    return -(log_px(logits, x).sum(dim=1) - beta * divergence(mu, log_sigma).mean(dim=1)).mean()


@WRONG("everything is averaged")
def means(logits, x, mu, log_sigma, beta):
    return beta * divergence(mu, log_sigma).mean() - log_px(logits, x).mean()


@WRONG("the batch is summed")
def total(logits, x, mu, log_sigma, beta):
    return beta * divergence(mu, log_sigma).sum() - log_px(logits, x).sum()


@WRONG("log_sigma is taken for the log of the variance")
def log_variance(logits, x, mu, log_sigma, beta):
    kl_term = -0.5 * (1 + log_sigma - mu**2 - torch.exp(log_sigma)).sum(1)
    return (beta * kl_term - log_px(logits, x).sum(1)).mean()


@WRONG("sigma instead of its square")
def first_power(logits, x, mu, log_sigma, beta):
    sigma = torch.exp(log_sigma)
    kl_term = ((mu**2 + sigma - 1) / 2 - log_sigma).sum(1)
    return (beta * kl_term - log_px(logits, x).sum(1)).mean()


@WRONG("log sigma has a plus")
def plus_log(logits, x, mu, log_sigma, beta):
    kl_term = (divergence(mu, log_sigma) + 2 * log_sigma).sum(1)
    return (beta * kl_term - log_px(logits, x).sum(1)).mean()


@WRONG("the 1 of the divergence is missing")
def no_one(logits, x, mu, log_sigma, beta):
    kl_term = (0.5 * mu**2 + 0.5 * torch.exp(log_sigma) ** 2 - log_sigma).sum(1)
    return (beta * kl_term - log_px(logits, x).sum(1)).mean()


@WRONG("the sigmoid is applied twice")
def twice(logits, x, mu, log_sigma, beta):
    return (beta * divergence(mu, log_sigma).sum(1) - log_px(torch.sigmoid(logits), x).sum(1)).mean()


@WRONG("squared error instead of log-probability")
def squares(logits, x, mu, log_sigma, beta):
    error = torch.nn.functional.mse_loss(torch.sigmoid(logits), x, reduction="none").sum(1)
    return (error + beta * divergence(mu, log_sigma).sum(1)).mean()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
