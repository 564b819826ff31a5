"""A Gaussian that gradients flow through.

The encoder of a variational autoencoder gives mu and log_sigma [batch, latent] of a normal distribution for each
sample. Write `rsample(mu, log_sigma, noise)`: a sample of it made from standard normal `noise` of the same shape, such
that gradients flow to mu and log_sigma. Write `log_prob(mu, log_sigma, z)`: the logarithm of the density of every
number of z, [batch, latent]:

    - log sigma - (log 2 pi) / 2 - (z - mu)^2 / (2 sigma^2)
"""

import math
from typing import Any

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: variational autoencoder, ReparameterizedDiagonalGaussian (used there, not written)"
WITHOUT = ("Normal", "MultivariateNormal", "distributions", "normal", "normal_")
HINTS = (
    "A standard normal number times sigma plus mu has mean mu and standard deviation sigma.",
    "sigma is `log_sigma.exp()`: log_sigma may be negative, sigma may not.",
    "`mu + log_sigma.exp() * noise`; `-log_sigma - 0.5 * log(2 pi) - 0.5 * ((z - mu) / sigma) ** 2`.",
)


def rsample(mu: Tensor, log_sigma: Tensor, noise: Tensor) -> Tensor:
    """Returns samples [batch, latent] through which gradients flow."""
    ### BEGIN SOLUTION
    return mu + log_sigma.exp() * noise
    ### END SOLUTION


def log_prob(mu: Tensor, log_sigma: Tensor, z: Tensor) -> Tensor:
    """Returns the log density of each number of z [batch, latent], in nats."""
    ### BEGIN SOLUTION
    return -log_sigma - 0.5 * math.log(2 * math.pi) - 0.5 * ((z - mu) / log_sigma.exp()).square()
    ### END SOLUTION


def _probe(sample: Any, density: Any, mu: Tensor, log_sigma: Tensor, noise: Tensor, z: Tensor) -> dict[str, Any]:
    leaves = [mu.clone().requires_grad_(), log_sigma.clone().requires_grad_()]
    drawn = sample(*leaves, noise)
    if drawn.requires_grad:
        (drawn * torch.arange(1, drawn.numel() + 1).view_as(drawn)).sum().backward()
    told = {"sample": drawn.detach(), "gradients": [leaf.grad for leaf in leaves]}
    return {**told, "log_prob": density(mu, log_sigma, z)}


def _case(draw: Draw) -> dict[str, Tensor]:
    shape = (draw.size(2, 4), draw.size(2, 3))
    return {name: draw.normal(*shape) * scale for name, scale in
            (("mu", 1.0), ("log_sigma", 0.5), ("noise", 1.0), ("z", 1.0))}  # fmt: skip


def _log(mu: Tensor, sigma: Tensor, z: Tensor, constant: float = 0.5, square: float = 0.5) -> Tensor:
    return -sigma.log() - constant * math.log(2 * math.pi) - square * ((z - mu) / sigma).square()


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "log_sigma serves as sigma in the sample", "sigma = exp(log_sigma).", {"rsample": lambda m, s, e: m + s * e}
        ),
        Fault(
            "the sample uses the variance",
            "Multiply by the standard deviation.",
            {"rsample": lambda m, s, e: m + (2 * s).exp() * e},
        ),
        Fault(
            "log_sigma is taken for the log of the variance",
            "sigma = exp(log_sigma), without a half.",
            {"rsample": lambda m, s, e: m + (0.5 * s).exp() * e},
        ),
        Fault("mu is missing from the sample", "mu plus sigma times noise.", {"rsample": lambda m, s, e: s.exp() * e}),
        Fault("there is no noise", "mu plus sigma times noise.", {"rsample": lambda m, s, e: m + s.exp()}),
        Fault("mu is scaled as well", "mu plus sigma times noise.", {"rsample": lambda m, s, e: s.exp() * (m + e)}),
        Fault(
            "the sample is detached",
            "Gradients must flow: no `.detach()`, no `.data`, no no_grad.",
            {"rsample": lambda m, s, e: (m + s.exp() * e).detach()},
        ),
        Fault(
            "no gradient reaches log_sigma",
            "Only mu gets one: do not detach sigma.",
            {"rsample": lambda m, s, e: m + s.exp().detach() * e},
        ),
        Fault(
            "- log sigma is missing from the density",
            "A wide density is low: - log sigma.",
            {"log_prob": lambda m, s, z: _log(m, s.exp(), z) + s},
        ),
        Fault(
            "log sigma has a plus in the density",
            "A wide density is low: - log sigma.",
            {"log_prob": lambda m, s, z: _log(m, s.exp(), z) + 2 * s},
        ),
        Fault(
            "the constant of the density is missing",
            "- (log 2 pi) / 2.",
            {"log_prob": lambda m, s, z: _log(m, s.exp(), z, constant=0)},
        ),
        Fault(
            "the constant of the density lacks its half",
            "(log 2 pi) / 2.",
            {"log_prob": lambda m, s, z: _log(m, s.exp(), z, constant=1)},
        ),
        Fault(
            "the square of the density lacks its half",
            "(z - mu)^2 / (2 sigma^2).",
            {"log_prob": lambda m, s, z: _log(m, s.exp(), z, square=1)},
        ),
        Fault(
            "divided by sigma instead of its square",
            "(z - mu)^2 / (2 sigma^2).",
            {"log_prob": lambda m, s, z: _log(m, s.exp(), z, square=0) - 0.5 * (z - m).square() / s.exp()},
        ),
        Fault(
            "the density itself", "Its logarithm is asked for.", {"log_prob": lambda m, s, z: _log(m, s.exp(), z).exp()}
        ),
        Fault(
            "the log densities are summed",
            "One number for each number of z.",
            {"log_prob": lambda m, s, z: _log(m, s.exp(), z).sum(1)},
        ),
    ),
)
