"""A network that foretells what a slower copy of itself makes of another view."""

import copy

import torch
from torch import Tensor, nn


class BYOL(nn.Module):
    """An encoder and a projector, a predictor behind them, and a target: a moving average of encoder and projector.

    The target's weights are buffers: saved, resumed and stacked like running statistics, and no optimiser touches
    them. In training mode each forward pass first moves them towards the online weights, as batch norm moves its
    statistics. So what the paper does after an optimiser step happens at the beginning of the next one, with the same
    numbers; before the first step both are equal, and nothing moves.

    Args:
        encoder: [batch, ...] to features [batch, feature_dim].
        feature_dim: numbers of a feature.
        hidden_dim: hidden units of projector and predictor.
        projection_dim: numbers of a projection.
        decay: share of the target that stays at a step, at the beginning.
        steps: of the training; the share rises to 1 along half a cosine until then. 0 keeps it constant.

    Source: Grill et al. 2020, "Bootstrap your own latent", section 3.1, equation 1 and section 3.2.

    Raises:
        ValueError: the share is not in [0, 1], or a number is not positive.
    """

    steps_made: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        feature_dim: int = 512,
        hidden_dim: int = 512,
        projection_dim: int = 128,
        *,
        decay: float = 0.99,
        steps: int = 0,
    ) -> None:
        super().__init__()
        if not 0 <= decay <= 1 or steps < 0 or min(feature_dim, hidden_dim, projection_dim) < 1:
            raise ValueError(
                f"decay must lie in [0, 1], steps not below 0, sizes be positive: got {decay}, {steps}, {feature_dim}, "
                f"{hidden_dim} and {projection_dim}"
            )
        self.decay, self.steps = decay, steps
        self.encoder = encoder
        self.projector = _two_layers(feature_dim, hidden_dim, projection_dim)
        self.predictor = _two_layers(projection_dim, hidden_dim, projection_dim)
        self.target_encoder = without_parameters(encoder)
        self.target_projector = without_parameters(self.projector)
        self.register_buffer("steps_made", torch.zeros((), dtype=torch.int64))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Returns predictions and targets, both [batch, projection_dim]; no gradient flows into the targets."""
        if self.training:
            self.follow()
        predictions = self.predictor(self.projector(self.encoder(images)))
        with torch.no_grad():
            targets = self.target_projector(self.target_encoder(images))
        return predictions, targets

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the target's weights towards the online weights, by one step's share."""
        made = self.steps_made.to(next(self.parameters()).dtype)
        share = (1 - self.decay) * torch.ones_like(made)
        if self.steps:
            share = share * (1 + torch.cos(torch.pi * made.clamp(max=self.steps) / self.steps)) / 2
        for online, target in ((self.encoder, self.target_encoder), (self.projector, self.target_projector)):
            followed = dict(online.named_parameters())
            for name, buffer in target.named_buffers():
                if name in followed:
                    buffer.add_(share * (followed[name] - buffer))
        self.steps_made.add_(1)


def without_parameters(network: nn.Module) -> nn.Module:
    """A copy of a network whose parameters are buffers of the same names."""
    copied = copy.deepcopy(network)
    for module in copied.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach().clone())
    return copied


def _two_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, outputs))
