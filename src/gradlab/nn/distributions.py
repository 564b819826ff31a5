"""Normal distributions whose samples carry gradients."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from gradlab.nn.replicas import standard_normal


class ReparameterizedDiagonalGaussian(Distribution):
    """Independent normal distributions: a sample is mu + sigma x noise, so gradients flow to both parameters.

    Args:
        mu: means [...].
        log_sigma: logarithms of the standard deviations, of the same shape: any number gives a positive deviation.

    Source: Kingma and Welling 2014, "Auto-encoding variational Bayes", section 2.4; used but not defined in the
    cheat-sheet, "Variational Autoencoder".

    Raises:
        ValueError: the shapes differ.
    """

    has_rsample = True

    def __init__(self, mu: Tensor, log_sigma: Tensor) -> None:
        if mu.shape != log_sigma.shape:
            raise ValueError(f"mu and log_sigma need one shape: got {tuple(mu.shape)} and {tuple(log_sigma.shape)}")
        super().__init__(batch_shape=mu.shape, validate_args=False)
        self.mu = mu
        self.log_sigma = log_sigma

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """What the parameters may be: any number."""
        return {"mu": constraints.real, "log_sigma": constraints.real}

    @property
    def support(self) -> constraints.Constraint:
        """What a sample may be: any number."""
        return constraints.real

    @property
    def mean(self) -> Tensor:
        """The means [...]."""
        return self.mu

    @property
    def stddev(self) -> Tensor:
        """The standard deviations [...]."""
        return self.log_sigma.exp()

    @property
    def variance(self) -> Tensor:
        """The variances [...]."""
        return (2 * self.log_sigma).exp()

    def rsample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> Tensor:
        """Draws [*sample_shape, ...] with gradients to `mu` and `log_sigma`.

        Args:
            sample_shape: leading axes of independent draws.
            generator: where the noise comes from, on the CPU; None takes torch's global generator.
        """
        shape = (*sample_shape, *self.mu.shape)
        if generator is None:
            noise = standard_normal(shape, like=self.mu)
        else:
            noise = torch.randn(shape, dtype=self.mu.dtype, generator=generator).to(self.mu.device)
        return self.mu + self.stddev * noise

    def sample(self, sample_shape: Sequence[int] = (), generator: torch.Generator | None = None) -> Tensor:
        """Draws [*sample_shape, ...] without gradients."""
        with torch.no_grad():
            return self.rsample(sample_shape, generator)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of each number's density, in nats, of `value`'s shape: sum it over the last axis yourself."""
        standard = (value - self.mu) * (-self.log_sigma).exp()
        return -0.5 * standard.square() - self.log_sigma - 0.5 * math.log(2 * math.pi)


def gaussian_kl(first: ReparameterizedDiagonalGaussian, second: ReparameterizedDiagonalGaussian) -> Tensor:
    """The Kullback-Leibler divergence KL(first || second) of each number, in nats, never negative.

    Source: Kingma and Welling 2014, appendix B, for any second Gaussian instead of the standard one.
    """
    log_ratio = first.log_sigma - second.log_sigma
    distance = (first.mu - second.mu) * (-second.log_sigma).exp()
    return 0.5 * ((2 * log_ratio).exp() + distance.square() - 1) - log_ratio
