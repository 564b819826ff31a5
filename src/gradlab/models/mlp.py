"""The multi-layer perceptron."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class MLP(nn.Module):
    """Linear layers with ReLU between them and none after the last; without hidden layers a linear classifier.

    Args:
        input_size: numbers in one image, channels x height x width.
        num_classes: number of classes.
        hidden_sizes: units of each hidden layer, first to last.

    Source: handbook, practical 1, part 1.

    Raises:
        ValueError: a size is not positive.
    """

    def __init__(self, input_size: int = 3072, num_classes: int = 10, hidden_sizes: Sequence[int] = (256, 128)) -> None:
        super().__init__()
        sizes = [input_size, *hidden_sizes]
        if min(*sizes, num_classes) < 1:
            raise ValueError(f"every layer needs at least one unit: got {sizes} and {num_classes} classes")
        layers: list[nn.Module] = []
        for units_in, units_out in pairwise(sizes):
            layers += [nn.Linear(units_in, units_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], num_classes))
        self.input_size = input_size

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, ...] of any shape with `input_size` numbers each.

        Raises:
            ValueError: the images have another size.
        """
        if math.prod(images.shape[1:]) != self.input_size:
            found = "x".join(map(str, images.shape[1:]))
            raise ValueError(f"MLP takes {self.input_size} numbers an image: got {found}")
        return self.layers(images.flatten(1))
