"""From feature maps over a group to invariant logits.

Write the class `InvariantHead(channels, num_classes)` for maps [batch, channels, h, height, width] over a group: layer
norm over the last four axes without parameters (`functional.layer_norm(x, x.shape[1:])`), ReLU, the mean over group
elements, height and width, and a linear layer to logits [batch, num_classes]. It must work for a batch of one.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "practical 4: GroupEquivariantCNN, projection layer and forward pass"
HINTS = (
    "A mean over an axis does not change when that axis is rotated or shifted: that makes it invariant.",
    "`x.mean((2, 3, 4))` leaves [batch, channels] for any batch; a bare `squeeze()` also takes a batch of one away.",
    "`x = functional.layer_norm(x, x.shape[1:]).relu()`, then `self.linear(x.mean((2, 3, 4)))`.",
)


class InvariantHead(nn.Module):
    """Norm, ReLU, mean over the group and the plane, linear layer.

    Args:
        channels: of the maps.
        num_classes: number of classes.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.linear = nn.Linear(channels, num_classes)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, num_classes] of maps [batch, channels, h, height, width]."""
        ### BEGIN SOLUTION
        x = functional.layer_norm(x, x.shape[1:]).relu()
        return self.linear(x.mean((2, 3, 4)))
        ### END SOLUTION


def _probe(kind: Any, x: Tensor, num_classes: int) -> dict[str, Any]:
    head = kind(x.shape[1], num_classes)
    sizes = shapes(head)
    fill(head)
    return {"shapes of the parameters": sizes, "logits": head(x)}


def _case(draw: Draw) -> dict[str, Any]:
    batch = 1 if draw.case == 1 else draw.size(2, 4)
    shape = (batch, draw.size(3, 5), 4, draw.size(2, 3), draw.size(3, 4))
    return {"x": draw.normal(*shape) * 2 + 0.5, "num_classes": draw.size(2, 5)}


class _Variant(nn.Module):
    """The head with pieces that can be replaced."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, num_classes)

    def norm(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[1:])

    def act(self, x: Tensor) -> Tensor:
        return x.relu()

    def pool(self, x: Tensor) -> Tensor:
        return x.mean((2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.pool(self.act(self.norm(x))))


class _NoNorm(_Variant):
    def norm(self, x: Tensor) -> Tensor:
        return x


class _NoRelu(_Variant):
    def act(self, x: Tensor) -> Tensor:
        return x


class _ReluFirst(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.pool(self.norm(x.relu())))


class _Max(_Variant):
    def pool(self, x: Tensor) -> Tensor:
        return x.amax((2, 3, 4))


class _Sum(_Variant):
    def pool(self, x: Tensor) -> Tensor:
        return x.sum((2, 3, 4))


class _FirstElement(_Variant):
    def pool(self, x: Tensor) -> Tensor:
        return x[:, :, 0].mean((2, 3))


class _Centre(_Variant):
    def pool(self, x: Tensor) -> Tensor:
        return x.mean(2)[:, :, 0, 0]


class _Squeezed(_Variant):
    def pool(self, x: Tensor) -> Tensor:
        return functional.adaptive_avg_pool3d(x, 1).squeeze()


class _PlaneNorm(_Variant):
    def norm(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[-3:])


class _Softmax(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(1)


class _MaxOverGroup(_Variant):
    def pool(self, x: Tensor) -> Tensor:
        return x.amax(2).mean((2, 3))


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "a batch of one loses its axis",
            "`squeeze()` takes all axes of length 1: `flatten(1)` or a mean.",
            _Squeezed,
        ),
        Fault("there is no layer norm", "Normalise over the last four axes first.", _NoNorm),
        Fault(
            "each channel is normalised by itself",
            "Over the last four axes, channels included: `x.shape[1:]`.",
            _PlaneNorm,
        ),
        Fault("there is no ReLU", "ReLU after the norm.", _NoRelu),
        Fault("the ReLU comes before the norm", "First the norm, then ReLU.", _ReluFirst),
        Fault("the largest value instead of the mean", "The mean is asked for.", _Max),
        Fault("the sum instead of the mean", "The mean is asked for.", _Sum),
        Fault(
            "only the first group element is used",
            "A single element is not invariant: the mean over all.",
            _FirstElement,
        ),
        Fault("only one place is used", "A single place is not invariant: the mean over all.", _Centre),
        Fault("the largest group element, then the mean", "The mean over the group as well.", _MaxOverGroup),
        Fault("there is a softmax at the end", "Return the logits.", _Softmax),
    ),
)
