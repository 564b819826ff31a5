"""Telling the progress, a few times a second, and what a step costs."""

import math
import time

import torch

from gradlab.training.learner import Training
from gradlab.training.task import Progress, Task

TICK_SECONDS = 0.2
COLD_STEPS = 3  # the first steps of a process are slower: memory is fetched, kernels are chosen


class Ticker:
    """Tells the progress a few times a second."""

    def __init__(self, task: Task, training: Training) -> None:
        self._task, self._training = task, training
        self._time, self._steps = time.perf_counter(), 0

    def tick(self) -> None:
        """Called after each step; reports if it is time."""
        self._steps += 1
        now = time.perf_counter()
        if now - self._time < TICK_SECONDS:
            return
        task, training = self._task, self._training
        rate = self._steps * task.recipe.batch_size * len(training.learner.seeds) / (now - self._time)
        standing = training.standings[0]
        loss = standing.sums["loss"] / standing.samples if standing.samples else training.last_loss()
        task.place.report(progress_of(task, training, loss=loss, rate=rate))
        self._time, self._steps = now, 0


def progress_of(task: Task, training: Training, *, loss: float = math.nan, rate: float = 0.0) -> Progress:
    """Where a training stands; a rate of 0 images a second says that it was read back, finished or on the way."""
    seeds = training.learner.seeds
    return Progress(
        arm=task.arm,
        seed=seeds[0],
        replicas=len(seeds),
        epoch=task.recipe.epochs if training.finished else training.epoch,
        epochs=task.recipe.epochs,
        step=task.steps_per_epoch if training.finished else training.step_in_epoch,
        steps=task.steps_per_epoch,
        loss=loss,
        samples_per_second=rate,
    )


class StepClock:
    """Measures the steps of one epoch, without a process's first ones where there are others.

    Args:
        task: tells the device, whose steps go on after the host has asked for them.
        training: is told the seconds of a step; its epoch begins or goes on with the step where it stands.
        last: the step before which the epoch ends.
    """

    def __init__(self, task: Task, training: Training, last: int) -> None:
        first, cold = training.step_in_epoch, 0 if training.step_seconds is not None else COLD_STEPS
        self._device, self._training, self._last = task.place.device, training, last
        self._from = first + cold if last - first > cold else first
        self._begin = time.perf_counter()

    def begin(self, step: int) -> None:
        """Called before each step."""
        if step == self._from:
            wait_for(self._device)
            self._begin = time.perf_counter()

    def end(self) -> None:
        """Called after the last step."""
        if self._last > self._from:
            wait_for(self._device)
            self._training.step_seconds = (time.perf_counter() - self._begin) / (self._last - self._from)


def wait_for(device: str) -> None:
    """Waits until an accelerator has done all that was asked of it."""
    if torch.device(device).type != "cpu":
        torch.accelerator.synchronize(device)
