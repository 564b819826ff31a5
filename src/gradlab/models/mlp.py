"""The multi-layer perceptron."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from gradlab.nn import Dropout

NORMS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class MLP(nn.Module):
    """Linear layers with activations between them and none after the last; without hidden layers a linear classifier.

    Each hidden layer is linear, then norm, activation and dropout, the last three where asked for.

    Args:
        input_size: numbers in one image, channels x height x width.
        num_classes: number of classes.
        hidden_sizes: units of each hidden layer, first to last.
        norm: of the units before the activation: over the batch, over the layer, or none.
        dropout: probability of dropping a hidden unit, in [0, 1).
        activation: makes the module between two layers, such as `nn.ReLU` or `nn.GELU`.

    Source: handbook, practical 1, part 1; the cheat-sheet's order of layers.

    Raises:
        ValueError: a size is not positive, the norm is unknown or the dropout no probability below 1.
    """

    samples_apart = True  # see `gradlab.training.stacked_rows`

    def __init__(
        self,
        input_size: int = 3072,
        num_classes: int = 10,
        hidden_sizes: Sequence[int] = (256, 128),
        norm: Literal["batch", "layer"] | None = None,
        dropout: float = 0.0,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        sizes = [input_size, *hidden_sizes]
        if min(*sizes, num_classes) < 1:
            raise ValueError(f"every layer needs at least one unit: got {sizes} and {num_classes} classes")
        if norm is not None and norm not in NORMS:
            raise ValueError(f"norm must be 'batch', 'layer' or None: got {norm!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1): got {dropout}")
        layers: list[nn.Module] = []
        for units_in, units_out in pairwise(sizes):
            layers.append(nn.Linear(units_in, units_out))
            if norm is not None:
                layers.append(NORMS[norm](units_out))
            layers.append(activation())
            if dropout:
                layers.append(Dropout(dropout))
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
