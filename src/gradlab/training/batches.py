"""Which samples a step sees, and in which view: functions of seed, epoch and sample, with no hidden state."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gradlab import rng
from gradlab.augment import Transform, alternating_columns, mixes_samples
from gradlab.data import StreamedPixels
from gradlab.training.learner import Learner
from gradlab.training.task import Task


class EpochBatches:
    """The batches of one epoch for every replica of a learner: its order, and its samples' uniform numbers.

    A view is a function of seed, epoch and sample, so the uniform numbers of all samples are drawn at once.
    """

    def __init__(self, task: Task, learner: Learner, epoch: int) -> None:
        self._task, self._learner = task, learner
        samples, size, replicas = len(task.inputs), task.recipe.batch_size, len(learner.seeds)
        self._replicas = replicas
        order = self._per_seed(f"order {epoch}", lambda g: torch.randperm(samples, generator=g)).to(task.targets.device)
        # Cut once an epoch: slicing at every step is what a loop's overhead is made of.
        self._rows = order[0].split(size) if replicas == 1 else [rows.flatten() for rows in order.split(size, dim=1)]
        if task.place.ranks.count > 1:  # of one replica
            self._rows = [task.place.ranks.share(rows) for rows in self._rows]
        self._nothing = torch.empty(size * replicas, 0, device=order.device)
        self._coming: Iterator[Tensor] | None = None
        self._uniforms = None
        if task.prepare is not None and task.prepare.uniforms:
            shape = (samples, task.prepare.uniforms)
            draws = self._per_seed(f"augmentation {epoch}", lambda g: torch.rand(shape, generator=g))
            if columns := alternating_columns(task.prepare):
                first = self._per_seed("augmentation 1", lambda g: torch.rand(shape, generator=g))
                draws[..., columns] = (first[..., columns] + (epoch - 1) / 2) % 1
            self._uniforms = draws.to(order.device)

    def batch(self, step: int) -> tuple[Tensor, Tensor, int]:
        """Inputs and targets of a step (0, 1, ...) as the learner takes them, and how many belong to each replica.

        Of several processes that train together each gets its share of the samples, and the count of all.
        """
        task, rows = self._task, self._rows[step]
        inputs, targets = self._inputs(step), task.targets.index_select(0, rows)
        if task.prepare is not None:
            inputs = self._prepared(task.prepare, inputs, self._uniforms_of(step))
        if inputs.is_floating_point() and inputs.dtype != task.place.dtype:
            inputs = inputs.to(task.place.dtype)
        return (
            self._learner.shaped(inputs),
            self._learner.shaped(targets),
            len(rows) * task.place.ranks.count // self._replicas,
        )

    def _inputs(self, step: int) -> Tensor:
        """The inputs of a step; those that stay in their files are decoded ahead from the first step asked for."""
        pixels = self._task.inputs
        if not isinstance(pixels, StreamedPixels):
            return pixels.index_select(0, self._rows[step])
        if self._coming is None:
            self._coming = pixels.stream(self._rows[step:])
        return next(self._coming).to(self._task.place.device)

    def _prepared(self, prepare: Transform, inputs: Tensor, uniforms: Tensor) -> Tensor:
        """The batch's views; each replica's batch on its own where a view depends on the whole batch."""
        if self._replicas == 1 or not mixes_samples(prepare):
            return prepare(inputs, uniforms)
        parts = zip(inputs.chunk(self._replicas), uniforms.chunk(self._replicas), strict=True)
        return torch.cat([prepare(batch, draws) for batch, draws in parts])

    def _uniforms_of(self, step: int) -> Tensor:
        """The uniform numbers of a batch's samples, [replicas * batch, uniforms]."""
        if self._uniforms is None:
            samples = len(self._rows[step])
            return self._nothing if len(self._nothing) == samples else self._nothing[:samples]
        rows = self._rows[step].chunk(self._replicas)
        return torch.cat([table.index_select(0, row) for table, row in zip(self._uniforms, rows, strict=True)])

    def _per_seed(self, purpose: str, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(rng.generator(seed, purpose)) for seed in self._learner.seeds])
