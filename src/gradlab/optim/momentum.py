"""An optimiser to read: what a step does, parameter by parameter."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class OptimizerTemplate(torch.optim.Optimizer):
    """An optimiser that is complete but for `update_param`, the rule for one parameter.

    A subclass overrides that one method. It reads its settings from `self.lr` and `self.group`, which are those of the
    parameter's own group, and keeps what it remembers in `self.state[parameter]`, which is saved with the optimiser.

    Args:
        params: parameters, or groups of them as torch.optim takes them.
        lr: learning rate.
        settings: further settings, which a group may have its own values of.

    Source: handbook, practical 1, "Optimizer".
    Differs from the handbook: it is a torch.optim.Optimizer, with groups, schedules and a state that can be saved;
    `zero_grad` removes gradients instead of filling them with zeros, so a parameter that a step does not use is left
    alone.

    Raises:
        ValueError: a learning rate below 0.
    """

    _current: dict[str, Any] | None = None

    def __init__(self, params: Iterable[Any], lr: float, **settings: Any) -> None:
        if lr < 0:
            raise ValueError(f"the learning rate must not be negative: got {lr}")
        super().__init__(params, {"lr": lr, **settings})

    @property
    def params(self) -> list[Tensor]:
        """All parameters, group by group."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    @property
    def group(self) -> dict[str, Any]:
        """The settings of the parameter being updated; outside of a step those of the first group."""
        return self._current if self._current is not None else self.param_groups[0]

    @property
    def lr(self) -> float:
        """The learning rate of the parameter being updated; outside of a step that of the first group."""
        return self.group["lr"]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients again; its value is returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._current = group
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update_param(parameter)
        self._current = None
        return loss

    def update_param(self, p: Tensor) -> None:
        """Updates one parameter in place from its gradient `p.grad`; gradients are not recorded meanwhile."""
        raise NotImplementedError(f"{type(self).__name__} must say how a parameter is updated: write update_param")


class SGDMomentum(OptimizerTemplate):
    """Gradient descent along an exponential average of the gradients.

    m <- momentum m + (1 - momentum) g, from m = 0, then w <- w - lr m. The steps are those of
    `torch.optim.SGD(lr=lr * (1 - momentum), momentum=momentum)`: the learning rate here is 1 / (1 - momentum) times as
    large for the same step. They are not those of its `dampening=momentum`, which leaves the first gradient whole.

    Args:
        params: parameters, or groups of them as torch.optim takes them.
        lr: learning rate.
        momentum: share of the old average, in [0, 1).

    Source: handbook, practical 1, "Optimizer"; Polyak 1964, "Some methods of speeding up the convergence of iteration
    methods".
    Differs from the handbook: averages are made at the first step, so the parameters may move to another device after
    the optimiser was made.

    Raises:
        ValueError: a setting is out of range.
    """

    keeps_replicas_apart = True  # each number steps by its own gradients

    def __init__(self, params: Iterable[Any], lr: float, momentum: float = 0.9) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1): got {momentum}")
        super().__init__(params, lr, momentum=momentum)

    @property
    def momentum(self) -> float:
        """The momentum of the parameter being updated; outside of a step that of the first group."""
        return self.group["momentum"]

    def update_param(self, p: Tensor) -> None:
        """Moves one parameter along its average gradient."""
        assert p.grad is not None
        if not self.state[p]:
            self.state[p]["average"] = torch.zeros_like(p)
        average = self.state[p]["average"]
        average.mul_(self.momentum).add_(p.grad, alpha=1 - self.momentum)
        p.sub_(average, alpha=self.lr)
