"""Initial weights: how large they are decides whether a signal survives a deep network.

Every function takes any module, gives each linear map in it (linear and convolution layers, gates of recurrent layers,
projections of attention) new weights, sets the biases to zero, and returns the module: `kaiming(MLP())`. Normalisation
layers and embeddings are left alone.

Draws come from torch's global generator where none is given.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)
GATES = {"LSTM": 4, "GRU": 3}


def kaiming(module: Module, *, generator: torch.Generator | None = None) -> Module:
    """Normal weights of variance 2 / inputs: keeps the scale of activations through ReLU layers of any depth.

    Source: He et al. 2015, "Delving deep into rectifiers", equation 10; cheat-sheet, "Parameter initialization".
    """
    return _fill(module, lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator))


def xavier(module: Module, *, generator: torch.Generator | None = None) -> Module:
    """Normal weights of variance 2 / (inputs + outputs): a compromise between forward and backward scale.

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
    equation 12; cheat-sheet, "Parameter initialization".
    """
    return _fill(module, lambda weight: nn.init.xavier_normal_(weight, generator=generator))


def orthogonal(module: Module, *, gain: float = 1.0, generator: torch.Generator | None = None) -> Module:
    """Orthogonal weights (semi-orthogonal where a map is not square), each gate of a recurrent layer on its own.

    A linear recurrence then keeps the length of its state, forward and backward, over any time.

    Source: Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks";
    cheat-sheet, "Parameter initialization".
    """
    return _fill(module, lambda weight: nn.init.orthogonal_(weight, gain, generator=generator))


def small_normal(module: Module, *, std: float = 0.01, generator: torch.Generator | None = None) -> Module:
    """Normal weights of one standard deviation, whatever the width. Source: cheat-sheet, which names 0.1 to 0.01."""
    return _fill(module, lambda weight: nn.init.normal_(weight, 0.0, std, generator=generator))


def small_uniform(module: Module, *, bound: float = 0.01, generator: torch.Generator | None = None) -> Module:
    """Uniform weights in [-bound, bound], whatever the width. Source: cheat-sheet, which names 0.1 to 0.01."""
    return _fill(module, lambda weight: nn.init.uniform_(weight, -bound, bound, generator=generator))


def recurrent(module: Module, *, generator: torch.Generator | None = None) -> Module:
    """Normal weights of variance 1 / inputs, for recurrent layers.

    A recurrent unit adds what comes from the input and what comes from the state. With He's 2 / inputs each of the two
    has variance 1 when ReLU units feed it, and their sum 2; half of it restores 1.

    Source: cheat-sheet, "Recurrent Neural Networks".
    Differs from the handbook: it does not say that the rule takes ReLU units for granted, whose mean square is half
    their pre-activation's variance. Inputs of mean square 1 and tanh units settle elsewhere.
    """
    return _fill(module, lambda weight: _normal(weight, 1.0, generator))


def _normal(weight: Tensor, factor: float, generator: torch.Generator | None) -> Tensor:
    return nn.init.normal_(weight, 0.0, (factor / weight[0].numel()) ** 0.5, generator=generator)


def _fill(module: Module, draw: Callable[[Tensor], Tensor]) -> Module:
    with torch.no_grad():
        for part in module.modules():
            for weight in _linear_maps(part):
                draw(weight)
            for name, parameter in part.named_parameters(recurse=False):
                if "bias" in name and next(_linear_maps(part), None) is not None:
                    parameter.zero_()
    return module


def _linear_maps(part: nn.Module) -> Iterator[Tensor]:
    """The weights [outputs, inputs, ...] of each linear map that a module holds itself, as views."""
    if isinstance(part, nn.modules.conv._ConvTransposeNd):
        yield part.weight.transpose(0, 1)
    elif isinstance(part, (nn.Linear, nn.modules.conv._ConvNd)):
        yield part.weight
    elif isinstance(part, nn.RNNBase):
        for name, weight in part.named_parameters():
            if name.startswith("weight"):
                yield from weight.chunk(1 if name.startswith("weight_hr") else GATES.get(part.mode, 1))
    elif isinstance(part, nn.MultiheadAttention):
        if part.in_proj_weight is not None:
            yield from part.in_proj_weight.chunk(3)
        else:
            yield from (part.q_proj_weight, part.k_proj_weight, part.v_proj_weight)
