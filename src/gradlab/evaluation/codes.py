"""What a variational autoencoder makes of images and of codes, as arrays to look at."""

import numpy as np
import torch
from torch import Tensor

from gradlab import rng
from gradlab.evaluation.evidence import as_model_takes, posterior_means
from gradlab.models import VariationalAutoencoder

SHOWN_CODES = 3000
WAY = 11
"""Pictures along the way from one image to another."""
SAMPLES = 64
GRID = 17
"""Pictures along each axis of the manifold; odd, so that the code of zeros is among them."""


def examine_codes(model: VariationalAutoencoder, images: Tensor, labels: Tensor, seed: int) -> dict[str, np.ndarray]:
    """The posterior means of images, and what the decoder draws: the probability of each pixel, not a draw from it.

    Args:
        model: a trained network of grey images.
        images: [images, 1, height, width] of 0 and 1.
        labels: int64 [images].
        seed: draws the codes of "samples".

    Returns:
        "codes" float32 [N, latent] of the first images and "labels" [N]; the rest is uint8 [N, height, width]:
        "originals", the first image of each class, and "reconstructions" from their posterior means; "samples" from
        codes of the prior; "way", evenly from the posterior mean of the first original to that of the last; for codes
        of two numbers "manifold", a grid over quantiles of the prior: row by row the second number falls, along each
        row the first one rises.
    """
    shown = torch.stack([(labels == label).nonzero()[0, 0] for label in labels.unique()])
    means = posterior_means(model, images[shown])
    steps = torch.linspace(0, 1, WAY).view(-1, 1)
    prior = torch.randn(SAMPLES, model.latent_features, generator=rng.generator(seed, "codes from the prior"))
    found = {
        "codes": posterior_means(model, images[:SHOWN_CODES]).numpy(),
        "labels": labels[:SHOWN_CODES].numpy(),
        "originals": (255 * images[shown, 0]).to(torch.uint8).numpy(),
        "reconstructions": decoded(model, means),
        "samples": decoded(model, prior),
        "way": decoded(model, (1 - steps) * means[0] + steps * means[-1]),
    }
    if model.latent_features == 2:
        found["manifold"] = decoded(model, quantile_grid(GRID))
    return found


def quantile_grid(count: int) -> Tensor:
    """Codes [count * count, 2] at evenly spaced quantiles of the standard normal: all cells are equally likely."""
    quantiles = torch.special.ndtri((torch.arange(count) + 0.5) / count)
    return torch.cartesian_prod(quantiles.flip(0), quantiles).flip(1)


def decoded(model: VariationalAutoencoder, codes: Tensor) -> np.ndarray:
    """The probability of every pixel as brightness, uint8 [N, height, width], for codes [N, latent]."""
    with torch.inference_mode():
        shares = model.observation_model(as_model_takes(model, codes)).mean
    return (255 * shares[:, 0].float().cpu()).round().to(torch.uint8).numpy()
