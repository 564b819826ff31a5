"""An encoder with a projection head.

SimCLR trains on z = g(h), h = f(x), and later keeps h. A small encoder `Encoder(features)` for images [batch, 3, 8, 8]
is given. Write the class `ProjectionNetwork(hidden_dim)`: `encoder` is `Encoder(4 * hidden_dim)`; the head g is a
two-layer MLP: linear from 4 * hidden_dim to 4 * hidden_dim, ReLU, linear to hidden_dim. Calling the network gives z
[batch, hidden_dim], and `features(x)` gives h [batch, 4 * hidden_dim].
"""

from typing import Any

from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "practical 5: SimCLR, base network and projection head"
HINTS = (
    "Keep encoder and head in attributes of their own: one is thrown away later.",
    "The head keeps the size 4 * hidden_dim in its first layer and ends with hidden_dim, without an activation.",
    "`self.head = nn.Sequential(nn.Linear(4 * d, 4 * d), nn.ReLU(), nn.Linear(4 * d, d))`.",
)


class Encoder(nn.Module):
    """A convolution, ReLU and a linear layer."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 2, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(18, features))

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, features] of images [batch, 3, 8, 8]."""
        return self.layers(x)


class ProjectionNetwork(nn.Module):
    """Encoder f and projection head g.

    Args:
        hidden_dim: size of z.
    """

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        size = 4 * hidden_dim
        self.encoder = Encoder(size)
        self.head = nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, hidden_dim))
        ### END SOLUTION

    def features(self, x: Tensor) -> Tensor:
        """Returns h [batch, 4 * hidden_dim]."""
        ### BEGIN SOLUTION
        return self.encoder(x)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns z [batch, hidden_dim]."""
        ### BEGIN SOLUTION
        return self.head(self.features(x))
        ### END SOLUTION


def _probe(kind: Any, images: Tensor, hidden_dim: int) -> dict[str, Any]:
    network = kind(hidden_dim)
    sizes = shapes(network)
    fill(network)
    h = network.features(images)
    encoder = getattr(network, "encoder", None)
    direct = encoder(images) if encoder is not None else None
    return {"shapes of the parameters": sizes, "z": network(images), "h": h, "encoder": direct}


def _case(draw: Draw) -> dict[str, Any]:
    return {"images": draw.normal(draw.size(2, 4), 3, 8, 8), "hidden_dim": draw.size(2, 4)}


class _Variant(nn.Module):
    """The network with switches."""

    wide, middle = 4, 4
    between: type[nn.Module] = nn.ReLU
    first: tuple[type[nn.Module], ...] = ()
    last: tuple[type[nn.Module], ...] = ()

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        size, middle = self.wide * hidden_dim, self.middle * hidden_dim
        self.encoder = Encoder(size)
        layers = [nn.Linear(size, middle), self.between(), nn.Linear(middle, hidden_dim)]
        self.head = nn.Sequential(*[kind() for kind in self.first], *layers, *[kind() for kind in self.last])

    def features(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class _NoActivation(_Variant):
    between = nn.Identity


class _LastActivation(_Variant):
    last = (nn.ReLU,)


class _FirstActivation(_Variant):
    first = (nn.ReLU,)


class _Bottleneck(_Variant):
    middle = 1


class _Narrow(_Variant):
    wide = middle = 1


class _OneLayer(_Variant):
    def __init__(self, hidden_dim: int) -> None:
        super().__init__(hidden_dim)
        self.head = nn.Sequential(nn.Linear(4 * hidden_dim, hidden_dim))


class _ProjectedFeatures(_Variant):
    def features(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)


class _NoHead(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)


class _Normalised(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.normalize(super().forward(x), dim=-1)


class _FeaturesOfTheHead(_Variant):
    def features(self, x: Tensor) -> Tensor:
        return self.head[0](self.encoder(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


class _Tanh(_Variant):
    between = nn.Tanh


CHECK = Check(
    probe=_probe,
    case=_case,
    cases=4,
    faults=(
        Fault("the head has no activation", "ReLU between its two linear layers.", _NoActivation),
        Fault("there is an activation after the head", "z may be negative.", _LastActivation),
        Fault("there is an activation before the head", "The encoder's output goes in as it is.", _FirstActivation),
        Fault("the head narrows in its first layer", "4 * hidden_dim to 4 * hidden_dim, then hidden_dim.", _Bottleneck),
        Fault("the encoder is not four times as wide", "h has 4 * hidden_dim numbers.", _Narrow),
        Fault("the head has a single layer", "Two linear layers with ReLU between them.", _OneLayer),
        Fault(
            "the features are those after the head",
            "h comes before the head: it is what later tasks use.",
            _ProjectedFeatures,
        ),
        Fault("the features are those inside the head", "h is the encoder's output.", _FeaturesOfTheHead),
        Fault("the head is not used", "Calling the network gives z = g(h).", _NoHead),
        Fault("z is normalised", "The loss does that; z comes as it is.", _Normalised),
        Fault("tanh instead of ReLU", "The statement asks for ReLU.", _Tanh),
    ),
)
