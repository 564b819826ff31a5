"""A classifier on top of an encoder."""

from torch import Tensor, nn


class Baseline(nn.Module):
    """An encoder and one linear layer that turns its features into logits.

    Trained from random weights it is the handbook's supervised baseline; around a pretrained encoder it is what
    fine-tuning trains.

    Args:
        encoder: [batch, ...] to features [batch, feature_dim].
        feature_dim: numbers of a feature.
        num_classes: number of classes.

    Source: handbook, practical 5, part 3.
    Differs from the handbook: encoder and features are arguments; learning rate, weight decay and epochs belong to the
    recipe.

    Raises:
        ValueError: a number is not positive.
    """

    def __init__(self, encoder: nn.Module, feature_dim: int = 512, num_classes: int = 10) -> None:
        super().__init__()
        if min(feature_dim, num_classes) < 1:
            raise ValueError(f"a classifier needs features and classes: got {feature_dim} and {num_classes}")
        self.encoder = encoder
        self.head = nn.Linear(feature_dim, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits [batch, classes]."""
        return self.head(self.encoder(images))
