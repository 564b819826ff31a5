"""The loss of a variational autoencoder.

Write `negative_elbo(logits, x, mu, log_sigma, beta)`: for each sample the reconstruction term log p(x|z), the sum over
its pixels of the Bernoulli log-probability of x [batch, pixels] in [0, 1] under sigmoid(logits); minus beta times the
Kullback-Leibler divergence between N(mu, sigma^2) and N(0, 1), summed over the latent numbers [batch, latent]:

    KL = sum of  (mu^2 + sigma^2 - 1) / 2 - log sigma

Return minus its mean over the batch, one number.
"""

from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: VariationalInference (which estimates the KL from one sample)"
WITHOUT = ("kl_divergence", "distributions")
HINTS = (
    "Sum over pixels and over latent numbers, mean over the batch only.",
    "log p(x|z) is minus the binary cross-entropy from logits: `reduction='none'`, then a sum over the pixels.",
    "`kl = (0.5 * (mu**2 + (2 * log_sigma).exp() - 1) - log_sigma).sum(1)`; `(reconstruction + beta * kl).mean()`.",
)


def negative_elbo(logits: Tensor, x: Tensor, mu: Tensor, log_sigma: Tensor, beta: float) -> Tensor:
    """Returns the loss in nats, one number.

    Args:
        logits: of the decoder [batch, pixels].
        x: pixels in [0, 1] [batch, pixels].
        mu: [batch, latent].
        log_sigma: [batch, latent].
        beta: weight of the divergence.
    """
    ### BEGIN SOLUTION
    missed = functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    divergence = (0.5 * (mu.square() + (2 * log_sigma).exp() - 1) - log_sigma).sum(1)
    return (missed + beta * divergence).mean()
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    batch, pixels, latent = draw.size(2, 4), draw.size(3, 6), draw.size(2, 3)
    return {
        "logits": draw.normal(batch, pixels),
        "x": draw.uniform(batch, pixels),
        "mu": draw.normal(batch, latent),
        "log_sigma": draw.normal(batch, latent) * 0.5,
        "beta": draw.choice((0.5, 2.0, 1.5)),
    }


def _missed(logits: Tensor, x: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none")


def _kl(mu: Tensor, log_sigma: Tensor, half: float = 0.5, one: float = 1.0, log: float = 1.0) -> Tensor:
    return half * (mu.square() + (2 * log_sigma).exp() - one) - log * log_sigma


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the divergence is taken off",
            "The loss is minus the ELBO: reconstruction loss plus beta times KL.",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) - b * _kl(m, s).sum(1)).mean(),
        ),
        Fault(
            "the ELBO itself",
            "The loss is minus the ELBO.",
            lambda a, x, m, s, b: -(_missed(a, x).sum(1) + b * _kl(m, s).sum(1)).mean(),
        ),
        Fault(
            "beta is missing",
            "beta weighs the divergence.",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + _kl(m, s).sum(1)).mean(),
        ),
        Fault(
            "beta weighs the reconstruction",
            "beta weighs the divergence.",
            lambda a, x, m, s, b: (b * _missed(a, x).sum(1) + _kl(m, s).sum(1)).mean(),
        ),
        Fault(
            "the pixels are averaged",
            "Sum over the pixels: otherwise the divergence weighs too much.",
            lambda a, x, m, s, b: (_missed(a, x).mean(1) + b * _kl(m, s).sum(1)).mean(),
        ),
        Fault(
            "the latent numbers are averaged",
            "Sum over the latent numbers.",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + b * _kl(m, s).mean(1)).mean(),
        ),
        Fault(
            "everything is averaged",
            "Sum over pixels and latent numbers, mean over the batch.",
            lambda a, x, m, s, b: _missed(a, x).mean() + b * _kl(m, s).mean(),
        ),
        Fault(
            "the batch is summed",
            "The mean over the batch.",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + b * _kl(m, s).sum(1)).sum(),
        ),
        Fault(
            "log_sigma is taken for the log of the variance",
            "sigma^2 = exp(2 log_sigma).",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + b * _kl(m, s / 2).sum(1)).mean(),
        ),
        Fault(
            "sigma instead of its square",
            "sigma^2 = exp(2 log_sigma).",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + b * (0.5 * (m.square() + s.exp() - 1) - s).sum(1)).mean(),
        ),
        Fault(
            "log sigma has a plus",
            "(mu^2 + sigma^2 - 1) / 2 - log sigma.",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + b * _kl(m, s, log=-1).sum(1)).mean(),
        ),
        Fault(
            "the half of the divergence is missing",
            "(mu^2 + sigma^2 - 1) / 2.",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + b * _kl(m, s, half=1).sum(1)).mean(),
        ),
        Fault(
            "the 1 of the divergence is missing",
            "(mu^2 + sigma^2 - 1) / 2: 0 for the prior itself.",
            lambda a, x, m, s, b: (_missed(a, x).sum(1) + b * _kl(m, s, one=0).sum(1)).mean(),
        ),
        Fault(
            "the sigmoid is applied twice",
            "The loss takes logits.",
            lambda a, x, m, s, b: (_missed(a.sigmoid(), x).sum(1) + b * _kl(m, s).sum(1)).mean(),
        ),
        Fault(
            "squared error instead of log-probability",
            "Bernoulli log-probabilities.",
            lambda a, x, m, s, b: ((a.sigmoid() - x).square().sum(1) + b * _kl(m, s).sum(1)).mean(),
        ),
    ),
)
