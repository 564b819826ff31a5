"""Which samples a step sees, and in which view: functions of seed, epoch and sample, with no hidden state."""

from collections.abc import Callable

import torch
from torch import Tensor

from gradlab import rng
from gradlab.augment import Transform, mixes_samples
from gradlab.training.learner import Learner
from gradlab.training.task import Task


class EpochBatches:
    """The batches of one epoch for every replica of a learner: its order, and its samples' uniform numbers.

    A view is a function of seed, epoch and sample, so the uniform numbers of all samples are drawn at once.
    """

    def __init__(self, task: Task, learner: Learner, epoch: int) -> None:
        self._task, self._learner = task, learner
        samples, device = len(task.inputs), task.inputs.device
        self._order = self._per_seed(f"order {epoch}", lambda g: torch.randperm(samples, generator=g)).to(device)
        self._uniforms = None
        self._nothing = torch.empty(self._order.numel(), 0, device=device)
        if task.prepare is not None and task.prepare.uniforms:
            shape = (samples, task.prepare.uniforms)
            draws = self._per_seed(f"augmentation {epoch}", lambda g: torch.rand(shape, generator=g))
            self._uniforms = draws.to(device)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of a step (0, 1, ...) as the learner takes them."""
        task, size = self._task, self._task.recipe.batch_size
        rows = self._order[:, step * size : (step + 1) * size]
        flat = rows[0] if len(rows) == 1 else rows.flatten()
        inputs, targets = task.inputs.index_select(0, flat), task.targets.index_select(0, flat)
        if task.prepare is not None:
            inputs = self._prepared(task.prepare, inputs, self._uniforms_of(rows))
        if inputs.is_floating_point() and inputs.dtype != task.place.dtype:
            inputs = inputs.to(task.place.dtype)
        return self._learner.shaped(inputs), self._learner.shaped(targets)

    def size(self, step: int) -> int:
        """How many samples of a step belong to each replica."""
        return min(self._task.recipe.batch_size, len(self._task.inputs) - step * self._task.recipe.batch_size)

    def _prepared(self, prepare: Transform, inputs: Tensor, uniforms: Tensor) -> Tensor:
        """The batch's views; each replica's batch on its own where a view depends on the whole batch."""
        replicas = len(self._learner.seeds)
        if replicas == 1 or not mixes_samples(prepare):
            return prepare(inputs, uniforms)
        parts = zip(inputs.chunk(replicas), uniforms.chunk(replicas), strict=True)
        return torch.cat([prepare(batch, draws) for batch, draws in parts])

    def _uniforms_of(self, rows: Tensor) -> Tensor:
        """The uniform numbers of a batch's samples, [replicas * batch, uniforms]."""
        if self._uniforms is None:
            return self._nothing[: rows.numel()]
        return torch.cat([table.index_select(0, row) for table, row in zip(self._uniforms, rows, strict=True)])

    def _per_seed(self, purpose: str, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(rng.generator(seed, purpose)) for seed in self._learner.seeds])
