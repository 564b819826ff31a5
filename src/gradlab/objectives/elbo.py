"""What a variational autoencoder is trained on: the evidence lower bound."""

from typing import Any, Literal, get_args

from torch import Tensor, nn

from gradlab.nn import gaussian_kl
from gradlab.objectives.classification import Measured

Divergence = Literal["closed form", "one sample"]


class VariationalInference(nn.Module):
    """The negative evidence lower bound of a batch, with the handbook's calling convention.

    L = E_q [log p(x|z)] - beta KL(q(z|x) || p(z)), with one z an image.

    Args:
        beta: weight of the divergence in the loss; 1 gives the bound itself.
        divergence: "one sample" estimates the divergence as log q(z|x) - log p(z), which is right on average but can be
            negative; "closed form" computes it for Gaussians.

    Source: Kingma and Welling 2014, "Auto-encoding variational Bayes", equation 8 ("one sample") and equation 10
    ("closed form"); Higgins et al. 2017, "beta-VAE", for beta; cheat-sheet, "Variational Autoencoder".
    Differs from the handbook: images are brought into the observation model's shape first; [batch, height, width]
    beside [batch, 1, height, width] would broadcast to [batch, batch, ...] without an error.

    Raises:
        ValueError: an unknown divergence, or a negative beta.
    """

    def __init__(self, beta: float = 1.0, divergence: Divergence = "one sample") -> None:
        super().__init__()
        if beta < 0:
            raise ValueError(f"beta must not be negative: got {beta}")
        if divergence not in get_args(Divergence):
            raise ValueError(f"divergence must be 'closed form' or 'one sample': got '{divergence}'")
        self.beta = beta
        self.divergence = divergence

    def forward(self, model: nn.Module, x: Tensor) -> tuple[Tensor, dict[str, Tensor], dict[str, Any]]:
        """Returns the loss, a mean over the batch; "elbo", "log_px" and "kl" of each image, in nats; the outputs.

        Args:
            model: gives "px", "pz", "qz" and "z" as `VariationalAutoencoder` does.
            x: images [batch, ...] with values in [0, 1].
        """
        outputs = model(x)
        px, pz, qz, z = (outputs[name] for name in ("px", "pz", "qz", "z"))
        log_px = reduce(px.log_prob(x.reshape(px.batch_shape)))
        if self.divergence == "closed form":
            kl = reduce(gaussian_kl(qz, pz))
        else:
            kl = reduce(qz.log_prob(z)) - reduce(pz.log_prob(z))
        loss = -(log_px - self.beta * kl).mean()
        diagnostics = {"elbo": log_px - kl, "log_px": log_px, "kl": kl}
        return loss, {name: value.detach() for name, value in diagnostics.items()}, outputs


def negative_elbo(
    model: nn.Module, images: Tensor, _targets: Tensor, *, beta: float = 1.0, divergence: Divergence = "closed form"
) -> Measured:
    """The same for `gradlab.training`: the loss, and "elbo", "log_px" and "kl" summed over the batch.

    The closed form is the default here: the same gradient on average with less noise early in training, and a
    divergence that is never negative. Another beta: `functools.partial(negative_elbo, beta=4.0)`.

    Args:
        model: gives "px", "pz", "qz" and "z" as `VariationalAutoencoder` does.
        images: [batch, ...] with values in [0, 1].
        _targets: not looked at.
        beta: weight of the divergence.
        divergence: "closed form" or "one sample".

    Source: see `VariationalInference`.
    """
    loss, diagnostics, _ = VariationalInference(beta, divergence)(model, images)
    return loss, {name: values.sum() for name, values in diagnostics.items()}


def reduce(x: Tensor) -> Tensor:
    """The sum over all axes but the first: [batch, ...] to [batch].

    Source: cheat-sheet, "Variational Autoencoder".
    """
    return x.flatten(1).sum(dim=1)
