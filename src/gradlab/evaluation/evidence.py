"""How well a variational autoencoder explains images that it was not trained on."""

import math

import torch
from torch import Tensor, nn

from gradlab.models import VariationalAutoencoder
from gradlab.nn import gaussian_kl
from gradlab.objectives import reduce

EVALUATION_BATCH = 500
DECODED_AT_ONCE = 5000  # images of an importance-weighted bound in memory at a time
ACTIVE_VARIANCE = 0.01


def measure_evidence(model: nn.Module, images: Tensor) -> dict[str, float]:
    """The evidence lower bound "elbo" and its parts "log_px" and "kl", means over images in nats; elbo = log_px - kl.

    One code an image, drawn from torch's global generator; the divergence is in closed form.

    Args:
        model: gives "px", "pz" and "qz" as `VariationalAutoencoder` does.
        images: [images, ...] with values in [0, 1].

    Source: Kingma and Welling 2014, "Auto-encoding variational Bayes", equation 10.
    """
    log_px, kl = [], []
    with torch.inference_mode():
        for batch in images.split(EVALUATION_BATCH):
            placed = as_model_takes(model, batch)
            outputs = model(placed)
            log_px.append(reduce(outputs["px"].log_prob(placed.reshape(outputs["px"].batch_shape))).double())
            kl.append(reduce(gaussian_kl(outputs["qz"], outputs["pz"])).double())
    found = {"log_px": torch.cat(log_px).mean().item(), "kl": torch.cat(kl).mean().item()}
    return {"elbo": found["log_px"] - found["kl"], **found}


def importance_weighted_elbo(model: VariationalAutoencoder, images: Tensor, samples: int) -> float:
    """The importance-weighted bound on the log-likelihood, a mean over images in nats.

    L_K = E log 1/K sum_k p(x, z_k) / q(z_k|x) over K codes from q(z|x). With one code it estimates the evidence lower
    bound; on average it rises with K towards log p(x) and never passes it. Codes come from torch's global generator.

    Args:
        model: a trained network.
        images: [images, ...] with values in [0, 1].
        samples: codes an image, K, at least 1.

    Source: Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", equation 8.

    Raises:
        ValueError: fewer than one sample.
    """
    if samples < 1:
        raise ValueError(f"an importance-weighted bound needs at least 1 sample: got {samples}")
    bounds = []
    with torch.inference_mode():
        for batch in images.split(max(1, DECODED_AT_ONCE // samples)):
            weights = _log_weights(model, as_model_takes(model, batch), samples)
            bounds.append(weights.double().logsumexp(0) - math.log(samples))
    return torch.cat(bounds).mean().item()


def active_dimensions(model: VariationalAutoencoder, images: Tensor) -> int:
    """How many of a code's numbers say something: their posterior means vary over images by more than 0.01.

    Source: Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", section 5.2.
    """
    return int((posterior_means(model, images).double().var(0) > ACTIVE_VARIANCE).sum())


def posterior_means(model: VariationalAutoencoder, images: Tensor) -> Tensor:
    """The means of q(z|x), [images, latent], on the CPU."""
    with torch.inference_mode():
        batches = [as_model_takes(model, batch) for batch in images.split(EVALUATION_BATCH)]
        return torch.cat([model.posterior(batch).mean.float().cpu() for batch in batches])


def as_model_takes(model: nn.Module, tensor: Tensor) -> Tensor:
    """A tensor on the device and in the type of a network's weights."""
    weights = next(model.parameters())
    return tensor.to(weights.device, weights.dtype)


def _log_weights(model: VariationalAutoencoder, images: Tensor, samples: int) -> Tensor:
    """What every draw weighs, log p(x, z) - log q(z|x), [samples, batch]."""
    qz = model.posterior(images)
    codes = qz.rsample((samples,))
    px = model.observation_model(codes.flatten(0, 1))
    log_px = reduce(px.log_prob(images.reshape(-1, *model.input_shape).repeat(samples, *[1] * len(model.input_shape))))
    pz = model.prior(len(images))
    return log_px.view(samples, -1) + (pz.log_prob(codes) - qz.log_prob(codes)).sum(-1)
