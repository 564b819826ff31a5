"""What probes share: networks are given known weights, so that two of them can be compared number by number."""

import functools
from collections.abc import Iterable

import torch
from torch import Tensor, nn


def fill(model: nn.Module, *, ones: bool = True) -> None:
    """Gives every parameter values that depend on its shape alone, so that names and order do not matter.

    One-dimensional parameters lie around 0.3, the others are scaled by their fan-in; buffers are left alone.

    Args:
        model: changed in place.
        ones: count axes of length 1; else [1, 5, 4] and [5, 4] get the same values.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            shape = tuple(side for side in parameter.shape if ones or side > 1)
            parameter.copy_(_values(shape).reshape(parameter.shape))


def shapes(model: nn.Module) -> list[str]:
    """The shapes of all trainable parameters, sorted, such as "3x5"."""
    return sorted("x".join(map(str, parameter.shape)) for parameter in model.parameters() if parameter.requires_grad)


@functools.cache
def _values(shape: tuple[int, ...]) -> Tensor:
    count = 1
    for side in shape:
        count *= side
    waves = torch.sin(torch.arange(1, count + 1, dtype=torch.float64) * 1.7 + len(shape) + sum(shape)).float()
    fan_in = max(1, count // shape[0]) if len(shape) > 1 else 1
    return (waves / fan_in**0.5).reshape(shape) if len(shape) > 1 else 0.3 + 0.5 * waves.reshape(shape)


class Descent:
    """Plain gradient descent; torch's own takes a second to be imported.

    Args:
        params: the parameters.
        lr: learning rate.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float) -> None:
        self.params = list(params)
        self.lr = lr

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients, or sets those that there are to zero."""
        for parameter in self.params:
            parameter.grad = None if set_to_none or parameter.grad is None else torch.zeros_like(parameter)

    @torch.no_grad()
    def step(self) -> None:
        """Moves every parameter that has a gradient."""
        for parameter in self.params:
            if parameter.grad is not None:
                parameter.sub_(self.lr * parameter.grad)
