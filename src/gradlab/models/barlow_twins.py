"""An encoder with the wide head that redundancy reduction wants."""

from torch import Tensor, nn


class BarlowTwins(nn.Module):
    """An encoder and a head of three linear layers, with batch norm and ReLU after the first two.

    Args:
        encoder: [batch, ...] to features [batch, feature_dim].
        feature_dim: numbers of a feature.
        projection_dim: units of each layer of the head.

    Source: Zbontar et al. 2021, "Barlow twins", section 2.2 (there 8192 units).

    Raises:
        ValueError: a number is not positive.
    """

    def __init__(self, encoder: nn.Module, feature_dim: int = 512, projection_dim: int = 1024) -> None:
        super().__init__()
        if min(feature_dim, projection_dim) < 1:
            raise ValueError(
                f"features and projections need at least one number: got {feature_dim} and {projection_dim}"
            )
        self.encoder = encoder
        self.head = nn.Sequential(
            *_hidden(feature_dim, projection_dim),
            *_hidden(projection_dim, projection_dim),
            nn.Linear(projection_dim, projection_dim, bias=False),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Returns projections [batch, projection_dim]."""
        return self.head(self.encoder(images))


def _hidden(inputs: int, units: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()
