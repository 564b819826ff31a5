"""One replica: a model, its optimiser, one seed."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from gradlab import rng
from gradlab.training.compiled import Pass, compiled_for, named, tried
from gradlab.training.state import optimizer_settings, optimizer_tensors, restore_optimizer
from gradlab.training.task import Task
from gradlab.training.unread import Sums, unread_on


class Solo:
    """A learner of one seed; see `learner.Learner` for the protocol that it shares with `Stack`."""

    kind = "seed"

    def __init__(self, task: Task, seed: int) -> None:
        self.seeds = (seed,)
        self.diverged: dict[int, str] = {}
        self.diverged_at: dict[int, int] = {}
        self._task = task
        self._model = task.initial_model(seed)
        self._model.to(device=task.place.device, dtype=task.place.dtype)
        # Convolutions with the channels last in memory take 0.7 of the time (LOG.md, "channels last").
        self._convolves = any(isinstance(module, nn.Conv2d) for module in self._model.modules())
        if self._convolves:
            self._model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._parameters = list(self._model.parameters())
        self._optimizer = task.recipe.optimizer(self._parameters)
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._factor = 1.0
        self._arithmetic = task.place.arithmetic()
        self.compiled = "no"
        # A bound method kept here would make a circle: a finished training would stay until the collector comes.
        self._compiled_pass: Pass | None = None
        # Several processes tell each other their sums after every step.
        self._unread = unread_on(task.place.device, 1) if task.place.ranks.count == 1 else None

    def shaped(self, batch: Tensor) -> Tensor:
        """A batch as the model takes it: nothing to do for one replica."""
        return batch

    def start_epoch(self) -> None:
        """Puts the model in training mode."""
        self._model.train()

    def compile(self, inputs: Tensor, targets: Tensor) -> None:
        """Compiles forward pass, loss and slopes for batches like this one; a warning says where that fails."""
        device = self._task.place.device
        inputs = self._laid_out(inputs)
        self._compiled_pass = compiled_for(self._uncompiled, inputs, device)
        self.start_epoch()
        if tried(lambda: self._forward(inputs, targets)[0], self._parameters, self._model.buffers()):
            self.compiled = named(device)
        else:
            self._compiled_pass = None

    def step(self, inputs: Tensor, targets: Tensor, *, factor: float, number: int) -> Sums | None:
        """Makes one optimiser step and returns the batch's sums; a loss that is not finite stops before the step.

        On an accelerator the sums are left to `read_sums`, which also finds what is not finite.
        """
        recipe, optimizer = self._task.recipe, self._optimizer
        if factor != self._factor:
            self._set_rates(factor)
        self._start_draws(number)  # whatever draws, in the network or the objective, draws the same again
        inputs = self._laid_out(inputs)
        for parameter in self._parameters:
            parameter.grad = None  # optimizer.zero_grad() does the same, a few microseconds dearer
        loss, metrics = self._forward(inputs, targets)
        if recipe.l1:
            loss = loss + recipe.l1 * sum(parameter.abs().sum() for parameter in self._parameters)
        sums = None
        if self._unread is not None:
            of_one = {name: metric.reshape(1) for name, metric in metrics.items()}
            self._unread.add(loss.reshape(1), of_one, samples=len(targets), number=number)
        else:
            sums = [self._sums(loss, metrics, len(targets))]
            if not math.isfinite(sums[0]["loss"]):
                self.diverged[0], self.diverged_at[0] = self._why(loss.item(), inputs, number, factor), number
                return [{"loss": sums[0]["loss"]}]
        loss.backward()
        self._share_gradients()
        if recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, recipe.clip_norm)
        optimizer.step()
        return sums

    def read_sums(self) -> Sums:
        """The sums since the last call, on an accelerator; marks the replica where a loss was not finite."""
        assert self._unread is not None
        sums, self.diverged_at = self._unread.read()
        self.diverged = {
            replica: why_diverged(step, self._rates, self._task) for replica, step in self.diverged_at.items()
        }
        return sums

    def module(self, replica: int) -> nn.Module:
        """The model itself."""
        assert replica == 0
        return self._model

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A copy of the model's state dict."""
        assert replica == 0
        return {name: tensor.detach().clone() for name, tensor in self._model.state_dict().items()}

    def tensors(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Model and optimiser as named tensors, and the optimiser's other values."""
        optimizer, scalars = optimizer_tensors(self._optimizer)
        tensors = {f"model/{name}": tensor for name, tensor in self._model.state_dict().items()}
        return tensors | {f"optimizer/{name}": tensor for name, tensor in optimizer.items()}, scalars

    def settings(self) -> dict[str, Any]:
        """The optimiser's kind and settings, as JSON values."""
        return optimizer_settings(self._optimizer)

    def restore(self, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
        """Puts back what `tensors` returned."""
        self._model.load_state_dict(under("model/", tensors))
        restore_optimizer(self._optimizer, under("optimizer/", tensors), scalars)
        self._set_rates(self._factor)

    # What `Share` does otherwise, together with other processes:

    def _start_draws(self, number: int) -> None:
        rng.start_step(self.seeds[0], number)

    def _forward(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        with self._arithmetic:
            return (self._compiled_pass or self._uncompiled)(inputs, targets)

    def _uncompiled(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return self._task.objective(self._model, inputs, targets)

    def _laid_out(self, inputs: Tensor) -> Tensor:
        if self._convolves and inputs.ndim == 4:
            return inputs.contiguous(memory_format=torch.channels_last)
        return inputs

    def _sums(self, loss: Tensor, metrics: dict[str, Tensor], samples: int) -> dict[str, float]:
        return {**{name: metric.item() for name, metric in metrics.items()}, "loss": loss.item() * samples}

    def _share_gradients(self) -> None:
        pass

    def _set_rates(self, factor: float) -> None:
        self._factor = factor
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def _why(self, loss: float, inputs: Tensor, step: int, factor: float) -> str:
        rates = ", ".join(f"{rate * factor:g}" for rate in dict.fromkeys(self._rates))
        return f"loss {loss} at step {step}, learning rate {rates}, {first_not_finite(self._model, inputs)}"


def why_diverged(step: int, rates: list[float], task: Task) -> str:
    """What is known of a loss that was not finite on an accelerator: the step and its learning rates."""
    told = ", ".join(f"{rate * task.recipe.schedule(step):g}" for rate in dict.fromkeys(rates))
    return f"loss not finite at step {step}, learning rate {told}"


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def first_not_finite(model: nn.Module, inputs: Tensor) -> str:
    """Names the first thing in a forward pass that is not finite: the inputs, a parameter or a layer's output."""
    if inputs.is_floating_point() and not inputs.isfinite().all():
        return "first seen in the inputs"
    for name, parameter in model.named_parameters():
        if not parameter.isfinite().all():
            return f"first seen in the parameter {name}"
    found: list[str] = []

    def look(name: str):
        def hook(_module: nn.Module, _arguments: object, output: object) -> None:
            if isinstance(output, Tensor) and not found and not output.isfinite().all():
                found.append(name)

        return hook

    hooks = [module.register_forward_hook(look(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return f"first seen in the output of {found[0]}" if found else "first seen in the loss"
