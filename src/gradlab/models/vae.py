"""The variational autoencoder."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution

from gradlab.nn import ReparameterizedDiagonalGaussian

HIDDEN = (256, 128)


class VariationalAutoencoder(nn.Module):
    """Images as Bernoulli pixels behind a Gaussian code.

    The encoder gives the posterior q(z|x) = N(mu(x), diag sigma(x)^2), the decoder the observation model p(x|z), a
    Bernoulli distribution of each pixel; the prior p(z) is N(0, I).

    Args:
        input_shape: shape of one image, such as (1, 28, 28).
        latent_features: numbers in a code.

    Source: Kingma and Welling 2014, "Auto-encoding variational Bayes"; cheat-sheet, "Variational Autoencoder".
    Differs from the handbook: its docstrings write q(x|z) for q(z|x); `generator` makes a draw repeatable. Grey pixels
    in [0, 1] are taken, as there: p(x|z) is then the exponential of a cross entropy and no density that integrates
    to 1 (Loaiza-Ganem and Cunningham 2019, "The continuous Bernoulli").
    """

    draws_randomness = True
    keeps_replicas_apart = True

    prior_params: Tensor

    def __init__(self, input_shape: Sequence[int], latent_features: int) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)
        self.latent_features = latent_features
        self.observation_features = math.prod(self.input_shape)
        self.encoder = nn.Sequential(
            nn.Linear(self.observation_features, HIDDEN[0]),
            nn.ReLU(),
            nn.Linear(HIDDEN[0], HIDDEN[1]),
            nn.ReLU(),
            nn.Linear(HIDDEN[1], 2 * latent_features),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_features, HIDDEN[1]),
            nn.ReLU(),
            nn.Linear(HIDDEN[1], HIDDEN[0]),
            nn.ReLU(),
            nn.Linear(HIDDEN[0], self.observation_features),
        )
        self.register_buffer("prior_params", torch.zeros(1, 2 * latent_features))

    def posterior(self, images: Tensor) -> ReparameterizedDiagonalGaussian:
        """Returns q(z|x) over codes [batch, latent] of images [batch, ...].

        Raises:
            ValueError: the images have another size.
        """
        if math.prod(images.shape[1:]) != self.observation_features:
            wanted, found = ("x".join(map(str, shape)) for shape in (self.input_shape, images.shape[1:]))
            raise ValueError(f"VariationalAutoencoder takes images of {wanted}: got {found}")
        mu, log_sigma = self.encoder(images.flatten(1)).chunk(2, dim=-1)
        return ReparameterizedDiagonalGaussian(mu, log_sigma)

    def prior(self, batch_size: int = 1) -> ReparameterizedDiagonalGaussian:
        """Returns p(z) over codes [batch, latent]."""
        mu, log_sigma = self.prior_params.expand(batch_size, -1).chunk(2, dim=-1)
        return ReparameterizedDiagonalGaussian(mu, log_sigma)

    def observation_model(self, codes: Tensor) -> Distribution:
        """Returns p(x|z) over images [batch, *input_shape] of codes [batch, latent]."""
        return Bernoulli(logits=self.decoder(codes).view(-1, *self.input_shape), validate_args=False)

    def forward(self, images: Tensor, generator: torch.Generator | None = None) -> dict[str, Any]:
        """Returns p(x|z) "px", p(z) "pz", q(z|x) "qz" and one code "z" [batch, latent] drawn from q(z|x).

        Args:
            images: [batch, *input_shape], or flattened, in [0, 1].
            generator: what draws the codes; None takes torch's global generator.

        Raises:
            ValueError: the images have another size.
        """
        qz = self.posterior(images)
        z = qz.rsample(generator=generator)
        return {"px": self.observation_model(z), "pz": self.prior(len(images)), "qz": qz, "z": z}

    def sample_from_prior(self, batch_size: int = 100, generator: torch.Generator | None = None) -> dict[str, Any]:
        """Returns p(x|z) "px", p(z) "pz" and codes "z" [batch, latent] drawn from p(z)."""
        pz = self.prior(batch_size)
        z = pz.rsample(generator=generator)
        return {"px": self.observation_model(z), "pz": pz, "z": z}
