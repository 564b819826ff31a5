"""An encoder with a head that is trained by contrast and thrown away afterwards."""

from torch import Tensor, nn


class SimCLR(nn.Module):
    """An encoder f and a projection head g of two linear layers with a ReLU between them.

    The contrastive loss sees z = g(h); what is used afterwards is h = f(x). Supervised contrastive learning (Khosla et
    al. 2020) has the same network with another loss.

    Args:
        encoder: [batch, ...] to features [batch, feature_dim].
        feature_dim: numbers of a feature; the head's hidden layer has 4 * hidden_dim units.
        hidden_dim: numbers of a projection.

    Source: Chen et al. 2020, "A simple framework for contrastive learning of visual representations", section 2.1;
    handbook, practical 5, part 1.
    Differs from the handbook: the encoder is an argument; the temperature belongs to `info_nce_loss`, and learning
    rate, weight decay and epochs to the recipe.

    Raises:
        ValueError: a number is not positive.
    """

    def __init__(self, encoder: nn.Module, feature_dim: int = 512, hidden_dim: int = 128) -> None:
        super().__init__()
        if min(feature_dim, hidden_dim) < 1:
            raise ValueError(f"features and projections need at least one number: got {feature_dim} and {hidden_dim}")
        self.encoder = encoder
        self.head = nn.Sequential(
            nn.Linear(feature_dim, 4 * hidden_dim), nn.ReLU(), nn.Linear(4 * hidden_dim, hidden_dim)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Returns projections [batch, hidden_dim], of any length."""
        return self.head(self.encoder(images))
