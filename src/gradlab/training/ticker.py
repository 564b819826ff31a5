"""Telling the progress, a few times a second."""

import time

from gradlab.training.learner import Training
from gradlab.training.task import Progress, Task

TICK_SECONDS = 0.2


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
        seeds = training.learner.seeds
        rate = self._steps * task.recipe.batch_size * len(seeds) / (now - self._time)
        standing = training.standings[0]
        task.place.report(
            Progress(
                arm=task.arm,
                seed=seeds[0],
                replicas=len(seeds),
                epoch=training.epoch,
                epochs=task.recipe.epochs,
                step=training.step_in_epoch,
                steps=task.steps_per_epoch,
                loss=standing.sums.get("loss", 0.0) / max(standing.samples, 1),
                samples_per_second=rate,
            )
        )
        self._time, self._steps = now, 0
