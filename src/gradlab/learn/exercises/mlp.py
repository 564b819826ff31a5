"""A multi-layer perceptron.

Write the class `MLP(input_size, num_classes, hidden_sizes)`: `len(hidden_sizes) + 1` linear layers with a ReLU after
each but the last. It takes a batch of images of any shape with `input_size` numbers each, such as
[batch, 3, 32, 32], and returns logits [batch, num_classes]. The loss applies the softmax, so the network does not.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "practical 1, part 1: MLP module"
HINTS = (
    "The layers' sizes follow each other: input_size, then the hidden sizes, then num_classes.",
    "Collect the layers in a list and wrap it in `nn.Sequential(*layers)`; a plain list hides its parameters.",
    "In `forward`: `self.layers(x.flatten(1))`. In the loop over hidden sizes append a Linear and a ReLU.",
)


class MLP(nn.Module):
    """Linear layers with ReLU between them.

    Args:
        input_size: numbers in one image.
        num_classes: number of classes.
        hidden_sizes: units of each hidden layer.
    """

    def __init__(self, input_size: int = 3072, num_classes: int = 10, hidden_sizes: Sequence[int] = (256, 128)) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        layers: list[nn.Module] = []
        size = input_size
        for units in hidden_sizes:
            layers += [nn.Linear(size, units), nn.ReLU()]
            size = units
        self.layers = nn.Sequential(*layers, nn.Linear(size, num_classes))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, num_classes] of images [batch, ...]."""
        ### BEGIN SOLUTION
        return self.layers(x.flatten(1))
        ### END SOLUTION


def _probe(kind: Any, images: Tensor, num_classes: int, hidden_sizes: list[int]) -> dict[str, Any]:
    model = kind(images[0].numel(), num_classes, hidden_sizes)
    sizes = shapes(model)
    if not sizes:
        return {"shapes of the parameters": sizes, "logits": None}
    fill(model)
    return {"shapes of the parameters": sizes, "logits": model(images)}


def _case(draw: Draw) -> dict[str, Any]:
    hidden = [[3], [4, 2], [], [5, 5, 3], [2, 6]][min(draw.case, 4)]
    shape = (draw.size(2, 4), draw.size(1, 3), draw.size(2, 3), 2)
    return {"images": draw.normal(*shape), "num_classes": draw.size(4, 7), "hidden_sizes": hidden}


class _Variant(nn.Module):
    """An MLP with switches."""

    between: type[nn.Module] = nn.ReLU
    after: nn.Module | None = None
    bias, fewer = True, False

    def __init__(self, input_size: int, num_classes: int, hidden_sizes: Sequence[int]) -> None:
        super().__init__()
        sizes = [input_size, *(hidden_sizes[:-1] if self.fewer else hidden_sizes), num_classes]
        pairs = list(pairwise(sizes))
        layers: list[nn.Module] = []
        for position, (one, other) in enumerate(pairs):
            layers.append(nn.Linear(one, other, bias=self.bias))
            if position < len(pairs) - 1:
                layers.append(self.between())
        self.layers = nn.Sequential(*layers, *([] if self.after is None else [self.after]))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))


class _Activated(_Variant):
    after = nn.ReLU()


class _Softmax(_Variant):
    after = nn.Softmax(dim=1)


class _Linear(_Variant):
    between = nn.Identity


class _Sigmoid(_Variant):
    between = nn.Sigmoid


class _Tanh(_Variant):
    between = nn.Tanh


class _Leaky(_Variant):
    between = nn.LeakyReLU


class _Unseen(_Variant):
    """The layers stand in a plain list, where the module does not see them."""

    def __init__(self, input_size: int, num_classes: int, hidden_sizes: Sequence[int]) -> None:
        super().__init__(input_size, num_classes, hidden_sizes)
        del self.layers


class _NoBias(_Variant):
    bias = False


class _Fewer(_Variant):
    fewer = True


class _NotFlat(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "there is an activation after the last layer",
            "Logits may be negative: no ReLU after the last linear layer.",
            _Activated,
        ),
        Fault("there is a softmax at the end", "nn.CrossEntropyLoss applies it: return the logits.", _Softmax),
        Fault(
            "there is no activation between the layers",
            "Without ReLU between them all linear layers together are one linear layer.",
            _Linear,
        ),
        Fault("sigmoid instead of ReLU", "The statement asks for ReLU between the layers.", _Sigmoid),
        Fault("tanh instead of ReLU", "The statement asks for ReLU between the layers.", _Tanh),
        Fault("leaky ReLU instead of ReLU", "The statement asks for ReLU between the layers.", _Leaky),
        Fault(
            "the layers are in a plain list",
            "A module sees layers in attributes, nn.Sequential and nn.ModuleList; in a list they are never trained.",
            _Unseen,
        ),
        Fault("the images are not flattened", "A linear layer works on the last axis: `x.flatten(1)` first.", _NotFlat),
        Fault("the linear layers have no bias", "nn.Linear has one unless told otherwise.", _NoBias),
        Fault("a hidden layer is missing", "There should be len(hidden_sizes) + 1 linear layers.", _Fewer),
    ),
)
