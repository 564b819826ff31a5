"""Several replicas at once: parameters and buffers on a leading axis, one pass for all."""

import copy
import math
import os
import warnings
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from gradlab import rng
from gradlab.errors import UsageError
from gradlab.nn import replicas_draw_from
from gradlab.training.compiled import Pass, compiled_for, named, tried
from gradlab.training.randomness import draws_randomness, why_not_stacked
from gradlab.training.solo import first_not_finite, under, why_diverged
from gradlab.training.stacked_linear import multiply_from_the_left
from gradlab.training.stacked_rows import pass_of_rows
from gradlab.training.state import optimizer_settings, optimizer_tensors, restore_optimizer
from gradlab.training.task import Objective, Task
from gradlab.training.unread import Sums, unread_on


def losses_summed() -> str:
    """How torch sums the losses of a stack: a Python without asserts, or torch without its compiler, sums otherwise."""
    return "at once" if __debug__ and os.environ.get("PYTORCH_JIT", "1") == "1" else "one by one"


class _Bound(nn.Module):
    """A model and its objective as one module, so that `functional_call` swaps the weights for the whole of it."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return self.objective(self.model, inputs, targets)


class Stack:
    """A learner of several seeds; each replica gets exactly its own gradient, since the losses are summed.

    The optimiser steps the stack as if it were one set of parameters, which is exact only for optimisers
    that keep replicas apart, as element-wise ones do.

    Raises:
        UsageError: the model draws random numbers in its forward pass in a way that mixes replicas, or has recurrent
            layers of torch's, or the optimiser may look at norms of whole tensors.
    """

    kind = "stack"

    def __init__(self, task: Task, seeds: tuple[int, ...]) -> None:
        self.seeds = seeds
        self.diverged: dict[int, str] = {}
        self.diverged_at: dict[int, int] = {}
        self._task = task
        models = [task.initial_model(seed) for seed in seeds]
        if obstacle := why_not_stacked(models[0], task.recipe.optimizer(models[0].parameters())):
            raise UsageError(f"no stack for {obstacle}: use --together processes, or 'in a row'")
        for model in models:
            model.to(device=task.place.device, dtype=task.place.dtype)
        self._template = models[0]
        self._bound = _Bound(copy.deepcopy(models[0]), task.objective)
        on_cpu = torch.device(task.place.device).type == "cpu"  # nobody has measured these two elsewhere
        if on_cpu:
            multiply_from_the_left(self._bound)
        parameters, buffers = stack_module_state(models)
        learns = {name: parameter.requires_grad for name, parameter in models[0].named_parameters()}
        self._parameters = {name: tensor.detach().requires_grad_(learns[name]) for name, tensor in parameters.items()}
        self._buffers = {name: tensor.detach() for name, tensor in buffers.items()}
        self._optimizer = task.recipe.optimizer(list(self._parameters.values()))
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._before_divergence: dict[int, dict[str, Tensor]] = {}
        self._forward = vmap(partial(_one, self._bound))
        self._of_rows = pass_of_rows(models[0], task.objective, self._parameters) if on_cpu else None
        self._autocast = task.place.autocast()
        self._draws = draws_randomness(models[0])
        self.compiled = "no"
        # A bound method kept here would make a circle: a finished training would stay until the collector comes.
        self._compiled_pass: Pass | None = None
        self._unread = unread_on(task.place.device, len(seeds))

    def shaped(self, batch: Tensor) -> Tensor:
        """A flat batch [replicas * samples, ...] as [replicas, samples, ...]."""
        return batch.view(len(self.seeds), -1, *batch.shape[1:])

    def start_epoch(self) -> None:
        """Puts the model in training mode."""
        self._bound.train()

    def compile(self, inputs: Tensor, targets: Tensor) -> None:
        """Compiles forward pass, losses and slopes for batches like this one; a warning says where that fails."""
        if self._draws:
            warnings.warn("steps are not compiled: a stack's replicas draw random numbers of their own", stacklevel=2)
            return
        device = self._task.place.device
        for tensor in self._named().values():  # arguments of the pass, which a CUDA graph would copy at every step
            torch._dynamo.mark_static_address(tensor)
        self._compiled_pass = compiled_for(self._uncompiled, inputs, device)
        self.start_epoch()

        def loss() -> Tensor:
            with self._autocast:
                return self._pass(inputs, targets)[0].sum()

        if tried(loss, self._parameters.values(), self._buffers.values()):
            self.compiled = named(device)
        else:
            self._compiled_pass = None

    def step(self, inputs: Tensor, targets: Tensor, *, factor: float, number: int) -> Sums | None:
        """Makes one optimiser step for all replicas and returns each one's sums over its batch.

        A replica whose loss is not finite is marked as diverged; the others go on. On an accelerator the sums are left
        to `read_sums`, which also marks.
        """
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        for parameter in self._parameters.values():
            parameter.grad = None
        with self._autocast, self._drawing(number):
            losses, metrics = self._pass(inputs, targets)
        if self._task.recipe.l1:
            losses = losses + self._task.recipe.l1 * sum(p.abs().flatten(1).sum(1) for p in self._parameters.values())
        sums = None
        if self._unread is not None:
            self._unread.add(losses, metrics, samples=targets.shape[1], number=number)
        else:
            values = losses.tolist()
            sums = self._sums(values, metrics, targets.shape[1])
            self._mark_diverged(values, inputs, number, factor)
        losses.sum().backward()
        if self._task.recipe.clip_norm is not None:
            self._clip(self._task.recipe.clip_norm)
        self._optimizer.step()
        return sums

    def read_sums(self) -> Sums:
        """Each replica's sums since the last call, on an accelerator; marks those whose loss was not finite."""
        assert self._unread is not None
        sums, self.diverged_at = self._unread.read()
        for replica, step in self.diverged_at.items():
            self.diverged.setdefault(replica, why_diverged(step, self._rates, self._task))
        return sums

    def module(self, replica: int) -> nn.Module:
        """A plain module with one replica's weights, overwritten by the next call."""
        self._template.load_state_dict(self.weights(replica))
        return self._template

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A copy of one replica's weights as a plain model's state dict; a diverged one's from before its last step."""
        if replica in self._before_divergence:
            return self._before_divergence[replica]
        kept = self._template.state_dict()  # leaves out buffers that are not persistent
        return {name: tensor[replica].detach().clone() for name, tensor in self._named().items() if name in kept}

    def tensors(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Stack and optimiser as named tensors, and the optimiser's other values."""
        optimizer, scalars = optimizer_tensors(self._optimizer)
        tensors = {f"model/{name}": tensor for name, tensor in self._named().items()}
        return tensors | {f"optimizer/{name}": tensor for name, tensor in optimizer.items()}, scalars

    def settings(self) -> dict[str, Any]:
        """The optimiser's kind and settings, as JSON values."""
        return optimizer_settings(self._optimizer)

    def restore(self, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
        """Puts back what `tensors` returned."""
        with torch.no_grad():
            for name, tensor in under("model/", tensors).items():
                self._named()[name].copy_(tensor)
        restore_optimizer(self._optimizer, under("optimizer/", tensors), scalars)

    def _drawing(self, number: int) -> AbstractContextManager[None]:
        """The context of a step in which each replica draws what its seed draws alone."""
        if not self._draws:
            return nullcontext()
        return replicas_draw_from(rng.step_generators(self.seeds, number, self._task.place.device))

    def _pass(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return (self._compiled_pass or self._of_rows or self._uncompiled)(inputs, targets)

    def _uncompiled(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return self._forward(self._parameters, self._buffers, inputs, targets)

    def _named(self) -> dict[str, Tensor]:
        return self._parameters | self._buffers

    def _sums(self, losses: list[float], metrics: dict[str, Tensor], samples: int) -> Sums:
        columns = {name: metric.tolist() for name, metric in metrics.items()}
        columns["loss"] = [loss * samples for loss in losses]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _mark_diverged(self, losses: list[float], inputs: Tensor, step: int, factor: float) -> None:
        """Notes replicas whose loss is not finite; their slots in the stack go on, unread, and touch no other slot."""
        for replica, loss in enumerate(losses):
            if not math.isfinite(loss) and replica not in self.diverged:
                self._before_divergence[replica] = self.weights(replica)
                rates = ", ".join(f"{rate * factor:g}" for rate in dict.fromkeys(self._rates))
                where = first_not_finite(self.module(replica), inputs[replica])
                self.diverged[replica] = f"loss {loss} at step {step}, learning rate {rates}, {where}"
                self.diverged_at[replica] = step

    def _clip(self, largest: float) -> None:
        """Scales each replica's gradients by its own 2-norm, as `clip_grad_norm_` does for one model."""
        gradients = [p.grad for p in self._parameters.values() if p.grad is not None]
        norms = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients]).norm(dim=0)
        factors = (largest / (norms + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factors.view(-1, *[1] * (gradient.ndim - 1)))


def _one(
    bound: _Bound, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor, targets: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss and the sums of one replica."""
    weights = {f"model.{name}": tensor for name, tensor in (parameters | buffers).items()}
    return functional_call(bound, weights, (inputs, targets))
