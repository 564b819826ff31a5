"""The loop: epochs, steps, measurements, saves. One for everything that learns."""

import copy
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gradlab import rng
from gradlab.errors import FileError
from gradlab.records import Row, slug
from gradlab.training.solo import Sums, under
from gradlab.training.state import newest_state, write_state
from gradlab.training.task import Progress, Task

TICK_SECONDS = 0.2
SAVE_SHARE = 0.01  # of the time goes into saving, at most
DRY_STEPS = 8
WARM_STEPS = 3  # the first steps of a process are slower: memory is fetched, kernels are chosen


class Learner(Protocol):
    """What the loop trains: one replica (`Solo`) or a stack of them (`Stack`)."""

    kind: str
    seeds: tuple[int, ...]
    diverged: dict[int, str]

    def shaped(self, batch: Tensor) -> Tensor:
        """A flat batch [replicas * samples, ...] as the model takes it."""
        ...

    def start_epoch(self) -> None:
        """Puts the model in training mode."""
        ...

    def step(self, inputs: Tensor, targets: Tensor, *, factor: float, number: int) -> Sums:
        """Makes one optimiser step and returns each replica's sums over its batch."""
        ...

    def module(self, replica: int) -> nn.Module:
        """A plain module with one replica's weights; good until the next call."""
        ...

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A copy of one replica's weights as a plain model's state dict."""
        ...

    def tensors(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Model and optimiser as named tensors, and the optimiser's other values."""
        ...

    def restore(self, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
        """Puts back what `tensors` returned."""
        ...


@dataclass(slots=True)
class Standing:
    """One replica's place in its training, apart from weights and optimiser."""

    sums: dict[str, float] = field(default_factory=dict)
    samples: int = 0
    window_sums: dict[str, float] = field(default_factory=dict)
    window_samples: int = 0
    best: float | None = None
    best_epoch: int | None = None
    finished_epoch: int | None = None
    diverged: str | None = None


@dataclass(slots=True)
class Training:
    """The whole state of a learner's training; `train` advances it."""

    learner: Learner
    standings: list[Standing]
    best_weights: list[dict[str, Tensor]]
    epoch: int = 1
    step_in_epoch: int = 0
    rows: list[Row] = field(default_factory=list)
    finished: bool = False
    exact: bool = True
    seconds: float = 0.0
    step_seconds: float | None = None

    def active(self) -> list[int]:
        """The replicas still learning."""
        return [
            replica
            for replica, standing in enumerate(self.standings)
            if standing.finished_epoch is None and standing.diverged is None
        ]

    def selected(self, replica: int) -> dict[str, Tensor]:
        """The weights that training ends with: the best ones where a selection was asked for, else the last."""
        return self.best_weights[replica] or self.learner.weights(replica)


def start(task: Task, learner: Learner) -> Training:
    """A training at its beginning, or where its newest valid state left it."""
    training = Training(learner, [Standing() for _ in learner.seeds], [{} for _ in learner.seeds])
    folder = state_folder(task, learner)
    found = newest_state(folder) if folder is not None else None
    if found is not None:
        _restore(task, training, *found)
    return training


def train(task: Task, training: Training) -> Iterator[Row]:
    """Yields the rows of the training, first those of the epochs that its state holds, then new ones.

    Raises:
        InterruptedRunError: a signal asked to stop; the state is saved.
        FileError: the state cannot be written.
    """
    yield from list(training.rows)
    saver = _Saver(task, training)
    while not training.finished:
        yield from _epoch(task, training, saver)
        training.finished = training.epoch > task.recipe.epochs or not training.active() or task.place.dry
        saver.epoch_done()


def _epoch(task: Task, training: Training, saver: "_Saver") -> Iterator[Row]:
    learner, recipe, steps = training.learner, task.recipe, task.steps_per_epoch
    order = _per_seed(learner, f"order {training.epoch}", lambda g: torch.randperm(len(task.inputs), generator=g))
    draws = _uniforms(task, learner, training.epoch)
    order = order.to(task.inputs.device)
    learner.start_epoch()
    ticker = _Ticker(task, training)
    last = min(steps, DRY_STEPS) if task.place.dry else steps
    warm = time.perf_counter()
    for step in range(training.step_in_epoch, last):
        if step == WARM_STEPS:
            warm = time.perf_counter()
        number = (training.epoch - 1) * steps + step
        inputs, targets = _batch(task, learner, order, draws, step)
        samples = min(recipe.batch_size, len(task.inputs) - step * recipe.batch_size)
        sums = learner.step(inputs, targets, factor=recipe.schedule(number), number=number)
        window_done = recipe.window is not None and (number + 1) % recipe.window == 0
        for replica in training.active():
            _add(training.standings[replica], sums[replica], samples, recipe.window)
            if replica in learner.diverged:
                yield _note(training, _diverged_row(task, training, replica, number))
            elif window_done:
                yield _note(training, _window_row(task, training, replica, number))
        training.step_in_epoch = step + 1
        ticker.tick()
        if not training.active():
            return
        saver.step_done(number)
    training.step_seconds = (time.perf_counter() - warm) / max(last - WARM_STEPS, 1)
    for replica in training.active():
        yield _note(training, _epoch_row(task, training, replica))
        for row in _measured_rows(task, training, replica):
            yield _note(training, row)
        training.standings[replica].sums, training.standings[replica].samples = {}, 0
    training.epoch, training.step_in_epoch = training.epoch + 1, 0


def _batch(task: Task, learner: Learner, order: Tensor, draws: Tensor | None, step: int) -> tuple[Tensor, Tensor]:
    size = task.recipe.batch_size
    rows = order[:, step * size : (step + 1) * size].flatten()
    inputs, targets = task.inputs.index_select(0, rows), task.targets.index_select(0, rows)
    if task.prepare is not None:
        inputs = task.prepare(inputs, _rows_of(draws, order, step, size, inputs))
    if inputs.is_floating_point() and inputs.dtype != task.place.dtype:
        inputs = inputs.to(task.place.dtype)
    return learner.shaped(inputs), learner.shaped(targets)


def _rows_of(draws: Tensor | None, order: Tensor, step: int, size: int, inputs: Tensor) -> Tensor:
    """The uniform numbers of a batch's samples, [replicas * batch, uniforms]."""
    if draws is None:
        return inputs.new_empty(len(inputs), 0, dtype=torch.float32)
    rows = order[:, step * size : (step + 1) * size]
    return torch.cat([table.index_select(0, row) for table, row in zip(draws, rows, strict=True)])


def _uniforms(task: Task, learner: Learner, epoch: int) -> Tensor | None:
    """One row of uniform numbers for every sample of the epoch, [replicas, samples, uniforms]; None if none is used."""
    if task.prepare is None or task.prepare.uniforms == 0:
        return None
    shape = (len(task.inputs), task.prepare.uniforms)
    return _per_seed(learner, f"augmentation {epoch}", lambda g: torch.rand(shape, generator=g)).to(task.inputs.device)


def _per_seed(learner: Learner, purpose: str, draw: Any) -> Tensor:
    return torch.stack([draw(rng.generator(seed, purpose)) for seed in learner.seeds])


def _add(standing: Standing, sums: dict[str, float], samples: int, window: int | None) -> None:
    for name, value in sums.items():
        standing.sums[name] = standing.sums.get(name, 0.0) + value
    standing.samples += samples
    if window is not None:
        for name, value in sums.items():
            standing.window_sums[name] = standing.window_sums.get(name, 0.0) + value
        standing.window_samples += samples


def _epoch_row(task: Task, training: Training, replica: int) -> Row:
    standing = training.standings[replica]
    means = {name: total / standing.samples for name, total in standing.sums.items()}
    return {**_identity(task, training, replica), "split": "train", **means}


def _window_row(task: Task, training: Training, replica: int, number: int) -> Row:
    standing = training.standings[replica]
    means = {name: total / standing.window_samples for name, total in standing.window_sums.items()}
    standing.window_sums, standing.window_samples = {}, 0
    return {**_identity(task, training, replica), "step": number + 1, "split": "train", **means}


def _diverged_row(task: Task, training: Training, replica: int, number: int) -> Row:
    why = training.learner.diverged[replica]
    training.standings[replica].diverged = why
    return {**_identity(task, training, replica), "step": number + 1, "split": "train", "diverged": why}


def _measured_rows(task: Task, training: Training, replica: int) -> Iterator[Row]:
    model = training.learner.module(replica)
    select, standing, epoch = task.recipe.select, training.standings[replica], training.epoch
    for split, measure in task.measure.items():
        metrics = measure(model)
        yield {**_identity(task, training, replica), "split": split, **metrics}
        if select is not None and split == select.split and select.improves(metrics[select.metric], standing.best):
            standing.best, standing.best_epoch = metrics[select.metric], epoch
            training.best_weights[replica] = training.learner.weights(replica)
    training.learner.start_epoch()
    patience = task.recipe.patience
    if patience is not None and epoch - (standing.best_epoch or 0) >= patience:
        standing.finished_epoch = epoch


def _identity(task: Task, training: Training, replica: int) -> Row:
    return {"arm": task.arm, "seed": training.learner.seeds[replica], "epoch": training.epoch}


def _note(training: Training, row: Row) -> Row:
    training.rows.append(row)
    return row


def state_folder(task: Task, learner: Learner) -> Path | None:
    """The folder of a learner's state; None where nothing is kept."""
    if task.place.state is None or task.place.dry:
        return None
    name = "-".join([learner.kind, *map(str, learner.seeds)])
    return task.place.state / slug(task.arm) / name


class _Saver:
    """Saves often enough to lose little and seldom enough to cost little, and stops when asked to."""

    def __init__(self, task: Task, training: Training) -> None:
        self._task, self._training = task, training
        self._folder = state_folder(task, training.learner)
        self._saved_at = self._started = time.perf_counter()
        self._before = training.seconds
        self._interval = task.place.save_seconds

    def step_done(self, number: int) -> None:
        """Called after each step; saves if it is time, saves and raises if a signal came."""
        place = self._task.place
        if place.stop.signal_number:
            self._save()
            raise place.stop.error()
        if place.save_steps is not None:
            if (number + 1) % place.save_steps == 0:
                self._save()
        elif time.perf_counter() - self._saved_at > self._interval:
            self._save()

    def epoch_done(self) -> None:
        """Called after each epoch's measurements; always saves a training that is finished."""
        if self._training.finished or time.perf_counter() - self._saved_at > self._interval:
            self._save()

    def _save(self) -> None:
        begin = time.perf_counter()
        self._training.seconds = self._before + begin - self._started
        if self._folder is not None:
            _save(self._task, self._training, self._folder)
        self._saved_at = time.perf_counter()
        self._interval = max(self._task.place.save_seconds, (self._saved_at - begin) / SAVE_SHARE)


class _Ticker:
    """Tells the progress a few times a second."""

    def __init__(self, task: Task, training: Training) -> None:
        self._task, self._training = task, training
        self._time, self._step = time.perf_counter(), training.step_in_epoch

    def tick(self) -> None:
        now = time.perf_counter()
        if now - self._time < TICK_SECONDS:
            return
        task, training = self._task, self._training
        seeds = training.learner.seeds
        rate = (training.step_in_epoch - self._step) * task.recipe.batch_size * len(seeds) / (now - self._time)
        standing = training.standings[0]
        task.place.report(
            Progress(
                arm=task.arm,
                seed=seeds[0],
                epoch=training.epoch,
                epochs=task.recipe.epochs,
                step=training.step_in_epoch,
                steps=task.steps_per_epoch,
                loss=standing.sums.get("loss", 0.0) / max(standing.samples, 1),
                samples_per_second=rate,
            )
        )
        self._time, self._step = now, training.step_in_epoch


def _save(task: Task, training: Training, folder: Path) -> None:
    tensors, scalars = training.learner.tensors()
    for replica, weights in enumerate(training.best_weights):
        tensors |= {f"best/{replica}/{name}": tensor for name, tensor in weights.items()}
    meta = {
        "fingerprint": task.fingerprint(),
        "epoch": training.epoch,
        "step_in_epoch": training.step_in_epoch,
        "standings": [asdict(standing) for standing in training.standings],
        "rows": training.rows,
        "finished": training.finished,
        "exact": training.exact,
        "seconds": training.seconds,
        "optimizer": scalars,
    }
    step = (training.epoch - 1) * task.steps_per_epoch + training.step_in_epoch
    # A finished training stops short of nothing: its number is above that of any state saved on the way.
    write_state(folder, step + training.finished, tensors, meta)


def _restore(task: Task, training: Training, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    try:
        training.learner.restore(tensors, meta["optimizer"])
        training.standings = [Standing(**standing) for standing in meta["standings"]]
        training.best_weights = [
            copy.copy(under(f"best/{replica}/", tensors)) for replica in range(len(meta["standings"]))
        ]
        training.epoch, training.step_in_epoch = meta["epoch"], meta["step_in_epoch"]
        training.rows, training.finished = meta["rows"], meta["finished"]
        training.seconds = meta["seconds"]
        training.exact = meta["exact"] and (meta["fingerprint"] == task.fingerprint() or training.finished)
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        raise FileError(f"the saved state of '{task.arm}' is not of this model and recipe: {error}") from error
    for replica, standing in enumerate(training.standings):
        if standing.diverged is not None:
            training.learner.diverged[replica] = standing.diverged
