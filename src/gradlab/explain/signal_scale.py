"""How large activations and gradients are at each depth of a network, measured and as theory of wide layers has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Scales:
    """Root mean squares of the activations and of the gradients at the input (first) and after each layer."""

    activations: tuple[float, ...]
    gradients: tuple[float, ...]

    def forward_growth(self) -> float:
        """The factor by which activations change, a layer, from the input to the last layer."""
        return _growth(self.activations[0], self.activations[-1], len(self.activations) - 1)

    def backward_growth(self) -> float:
        """The factor by which gradients change, a layer, from the last layer to the input."""
        return _growth(self.gradients[-1], self.gradients[0], len(self.gradients) - 1)


@dataclass(frozen=True, slots=True)
class Nonlinearity:
    """A function of each unit, for tensors, and the same function and its derivative for arrays."""

    apply: Callable[[Tensor], Tensor]
    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


NONLINEARITIES = {
    "tanh": Nonlinearity(torch.tanh, np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": Nonlinearity(torch.relu, lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "identity": Nonlinearity(lambda z: z, lambda z: z, np.ones_like),
}


def signal_scales(layers: Sequence[nn.Module], nonlinearity: str, inputs: Tensor, gradient: Tensor) -> Scales:
    """Follows inputs forward through layers and a gradient of their last output backward.

    Args:
        layers: applied one after the other, each followed by the nonlinearity.
        nonlinearity: a name of `NONLINEARITIES`.
        inputs: [samples, units].
        gradient: of some loss by the last activations, [samples, units of the last layer].
    """
    signals = [inputs.detach().requires_grad_()]
    for layer in layers:
        signals.append(NONLINEARITIES[nonlinearity].apply(layer(signals[-1])))
    gradients = torch.autograd.grad(signals[-1], signals, gradient)
    return Scales(tuple(map(_root_mean_square, signals)), tuple(map(_root_mean_square, gradients)))


def expected_scales(gain: float, nonlinearity: str, depth: int) -> Scales:
    """The scales in the limit of wide layers, for inputs and last gradients of mean square 1.

    There a pre-activation is normal and its variance is `gain` times the mean square of the activations below; a
    layer multiplies the mean square of gradients by `gain` times that of the nonlinearity's slope.

    Args:
        gain: n Var(w), for n units a layer and independent weights w of mean 0.
        nonlinearity: a name of `NONLINEARITIES`.
        depth: layers.

    Source: Poole et al. 2016, "Exponential expressivity in deep neural networks through transient chaos", equation 3;
    for gradients Schoenholz et al. 2017, "Deep information propagation", equation 12.
    """
    chosen = NONLINEARITIES[nonlinearity]
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    squares, factors = [1.0], []
    for _ in range(depth):
        z = np.sqrt(gain * squares[-1]) * nodes
        squares.append(float(weights @ chosen.value(z) ** 2))
        factors.append(gain * float(weights @ chosen.slope(z) ** 2))
    backward = np.cumprod([1.0, *reversed(factors)])[::-1]
    return Scales(tuple(np.sqrt(squares).tolist()), tuple(np.sqrt(backward).tolist()))


def _growth(first: float, last: float, layers: int) -> float:
    return (last / first) ** (1 / layers)


def _root_mean_square(values: Tensor) -> float:
    return float(values.detach().double().square().mean().sqrt())
