"""Logistic regression: one linear layer over the pixels."""

import math

from torch import Tensor, nn


class LogRegression(nn.Module):
    """A linear classifier of flattened images.

    Args:
        input_size: numbers in one image, channels x height x width.
        num_classes: number of classes.

    Source: the slides, "The model".
    """

    samples_apart = True  # see `gradlab.training.stacked_rows`

    def __init__(self, input_size: int = 28 * 28, num_classes: int = 10) -> None:
        super().__init__()
        self.fc1 = nn.Linear(input_size, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, ...] of any shape with `input_size` numbers each.

        Raises:
            ValueError: the images have another size.
        """
        if math.prod(images.shape[1:]) != self.fc1.in_features:
            found = "x".join(map(str, images.shape[1:]))
            raise ValueError(f"LogRegression takes {self.fc1.in_features} numbers an image: got {found}")
        return self.fc1(images.flatten(1))
