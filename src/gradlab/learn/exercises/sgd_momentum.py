"""Gradient descent with momentum.

`OptimizerTemplate` is given: its `step` calls `update_param(p)` for each parameter that has a gradient. Write
`update_param` of `SGDMomentum`, which follows an exponential average of the gradients g:

    m <- beta m + (1 - beta) g        w <- w - lr m

`self.param_momentum[p]` holds m of parameter p, zero at first. The parameter must be changed in place, and without
being recorded by autograd.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 1, part 1: optimizer"
HINTS = (
    "Two lines: first the new average, then the step along it. Both have to outlive the call.",
    "The new average must be stored in `self.param_momentum[p]`, or the next call starts from zero again.",
    "`m = beta * m + (1 - beta) * p.grad`; store it; then `p.data -= self.lr * m` (or `p -= ...` under no_grad).",
)


class OptimizerTemplate:
    """What optimisers share: it holds the parameters, forgets gradients and visits each parameter in a step."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float) -> None:
        self.params = list(params)
        self.lr = lr

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Updates every parameter that has a gradient."""
        for p in self.params:
            if p.grad is not None:
                self.update_param(p)

    def update_param(self, p: Any) -> None:
        """Updates one parameter in place."""
        raise NotImplementedError


class SGDMomentum(OptimizerTemplate):
    """Gradient descent along an exponential average of the gradients."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.9) -> None:
        super().__init__(params, lr)
        self.momentum = momentum
        self.param_momentum: dict[Any, Tensor] = {p: torch.zeros_like(p.data) for p in self.params}

    @torch.no_grad()
    def update_param(self, p: Any) -> None:
        """Moves `p` against the average of its gradients, in place."""
        ### BEGIN SOLUTION
        average = (1 - self.momentum) * p.grad + self.momentum * self.param_momentum[p]
        self.param_momentum[p] = average
        p -= self.lr * average
        ### END SOLUTION


def _probe(kind: Any, weights: Tensor, gradients: Tensor, lr: float, momentum: float) -> dict[str, Any]:
    parameter, other = nn.Parameter(weights.clone()), nn.Parameter(2 * weights)
    optimizer = kind([parameter, other], lr=lr, momentum=momentum)
    path = []
    for gradient in gradients:
        parameter.grad, other.grad = gradient.clone(), -3 * gradient
        optimizer.step()
        path.append(parameter.detach().clone())
    return {
        "weights after each step": torch.stack(path),
        "another parameter": other,
        "the gradient is kept": (parameter.grad == gradients[-1]).all(),
        "recorded by autograd": not parameter.is_leaf,
    }


def _case(draw: Draw) -> dict[str, Any]:
    size = draw.size(2, 4)
    return {
        "weights": draw.normal(size),
        "gradients": draw.normal(draw.size(3, 6), size),
        "lr": draw.choice((1.0, 0.3, 10.0)),
        "momentum": draw.choice((0.9, 0.5, 0.8)),
    }


class _Wrong(SGDMomentum):
    """An optimiser whose rule is `w <- w + change(m, g)`, with an average of its own."""

    def average(self, m: Tensor, g: Tensor) -> Tensor:
        return self.momentum * m + (1 - self.momentum) * g

    def moved(self, m: Tensor, _new: Tensor, _g: Tensor) -> Tensor:
        return _new

    @torch.no_grad()
    def update_param(self, p: Any) -> None:
        old, gradient = self.param_momentum[p], p.grad if p.grad is not None else torch.zeros_like(p)
        self.param_momentum[p] = self.average(old, gradient)
        p -= self.lr * self.moved(old, self.param_momentum[p], gradient)


class _NoDamping(_Wrong):
    def average(self, m: Tensor, g: Tensor) -> Tensor:
        return self.momentum * m + g


class _Swapped(_Wrong):
    def average(self, m: Tensor, g: Tensor) -> Tensor:
        return (1 - self.momentum) * m + self.momentum * g


class _NoMomentum(_Wrong):
    def average(self, m: Tensor, g: Tensor) -> Tensor:
        return g


class _Uphill(_Wrong):
    def moved(self, m: Tensor, new: Tensor, g: Tensor) -> Tensor:
        return -new


class _Late(_Wrong):
    def moved(self, m: Tensor, new: Tensor, g: Tensor) -> Tensor:
        return m


class _Forgets(_Wrong):
    def average(self, m: Tensor, g: Tensor) -> Tensor:
        return torch.zeros_like(m)

    def moved(self, m: Tensor, new: Tensor, g: Tensor) -> Tensor:
        return (1 - self.momentum) * g


class _NoRate(_Wrong):
    def moved(self, m: Tensor, new: Tensor, g: Tensor) -> Tensor:
        return new / self.lr


class _RateTwice(_Wrong):
    def average(self, m: Tensor, g: Tensor) -> Tensor:
        return self.momentum * m + (1 - self.momentum) * self.lr * g


class _OneAverage(SGDMomentum):
    @torch.no_grad()
    def update_param(self, p: Any) -> None:
        first = self.params[0]
        m = self.param_momentum[first]
        m.mul_(self.momentum).add_(p.grad if p.grad is not None else 0.0, alpha=1 - self.momentum)
        p -= self.lr * m


class _SpoilsGradient(_Wrong):
    def average(self, m: Tensor, g: Tensor) -> Tensor:
        return g.mul_(1 - self.momentum).add_(self.momentum * m).clone()


class _Recorded(SGDMomentum):
    def update_param(self, p: Any) -> None:
        p -= self.lr * torch.ones_like(p)


class _Unmoved(SGDMomentum):
    def update_param(self, p: Any) -> None:
        pass


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "momentum lacks the factor 1 - beta",
            "An average weighs the new gradient by 1 - beta; without it the steps grow up to 1 / (1 - beta) times.",
            _NoDamping,
        ),
        Fault("beta and 1 - beta are swapped", "beta weighs the past, 1 - beta the new gradient.", _Swapped),
        Fault(
            "the momentum is forgotten after each step",
            "The new average must be stored in `self.param_momentum[p]`; assigning a local name does not change it.",
            _Forgets,
        ),
        Fault("the momentum is not used", "The step follows the average, not the gradient alone.", _NoMomentum),
        Fault("the step goes uphill", "Descent takes the step off the weights: w - lr m.", _Uphill),
        Fault("the step uses the average from before", "First update the average, then step along the new one.", _Late),
        Fault(
            "the update is recorded by autograd",
            "Parameters may be changed in place under `torch.no_grad()` only, or through `p.data`.",
            _Recorded,
        ),
        Fault(
            "the gradient is changed in place",
            "`p.grad` belongs to autograd: compute with it, do not write to it.",
            _SpoilsGradient,
        ),
        Fault("the learning rate is missing", "The step is lr times the average.", _NoRate),
        Fault("the learning rate counts twice", "It scales the step only, not the average as well.", _RateTwice),
        Fault(
            "all parameters share one average",
            "Each parameter has its own entry of `self.param_momentum`.",
            _OneAverage,
        ),
        Fault(
            "the parameter does not change",
            "`p = p - ...` only gives another tensor the name p: change it in place, `p -= ...` or `p.data -= ...`.",
            _Unmoved,
        ),
    ),
)
