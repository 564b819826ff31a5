"""The loop: epochs, steps, measurements. One for everything that learns."""

from collections.abc import Iterator

from gradlab import rng
from gradlab.errors import UsageError
from gradlab.records import Row
from gradlab.training.batches import EpochBatches
from gradlab.training.learner import Standing, Training
from gradlab.training.saver import Saver
from gradlab.training.task import Task
from gradlab.training.ticker import StepClock, Ticker

DRY_STEPS = 8


def train(task: Task, training: Training) -> Iterator[Row]:
    """Yields the rows of the training, first those of the epochs that its state holds, then new ones.

    Raises:
        InterruptedRunError: a signal asked to stop; the state is saved.
        FileError: the state cannot be written.
    """
    yield from list(training.rows)
    saver, ticker = Saver(task, training), Ticker(task, training)
    while not training.finished:
        yield from _steps(task, training, saver, ticker)
        if training.active():
            yield from _end_of_epoch(task, training)
        training.finished = training.epoch > task.recipe.epochs or not training.active() or task.place.dry
        saver.epoch_done()


def _steps(task: Task, training: Training, saver: Saver, ticker: Ticker) -> Iterator[Row]:
    """The steps of an epoch from where it stands; yields rows of windows and of replicas that diverge."""
    learner, recipe, steps = training.learner, task.recipe, task.steps_per_epoch
    batches = EpochBatches(task, learner, training.epoch)
    learner.start_epoch()
    last = min(steps, DRY_STEPS) if task.place.dry else steps
    active, clock, samples_since = training.active(), StepClock(task, training, last), 0
    for step in range(training.step_in_epoch, last):
        clock.begin(step)
        number = (training.epoch - 1) * steps + step
        inputs, targets, samples = batches.batch(step)
        sums = learner.step(inputs, targets, factor=recipe.schedule(number), number=number)
        del inputs, targets  # the next batch takes their place in the processor's cache
        samples_since += samples
        save, window = saver.due(number), recipe.window is not None and (number + 1) % recipe.window == 0
        if sums is None and (save or window or step == last - 1):
            sums = learner.read_sums()
        if sums is not None:
            for replica in active:
                _add(training.standings[replica], sums[replica], samples_since, recipe.window)
            samples_since = 0
        if learner.diverged or window:
            for replica in active:
                yield from _rows_of_step(task, training, replica, number)
            active = training.active()
        training.step_in_epoch = step + 1
        ticker.tick()
        if not active:
            return
        if save:
            saver.save()
    clock.end()


def _rows_of_step(task: Task, training: Training, replica: int, number: int) -> Iterator[Row]:
    if replica in training.learner.diverged:
        yield _note(training, _diverged_row(task, training, replica))
    elif task.recipe.window is not None and (number + 1) % task.recipe.window == 0:
        yield _note(training, _window_row(task, training, replica, number))


def _end_of_epoch(task: Task, training: Training) -> Iterator[Row]:
    for replica in training.active():
        yield _note(training, _epoch_row(task, training, replica))
        for row in _measured_rows(task, training, replica):
            yield _note(training, row)
        training.standings[replica].sums, training.standings[replica].samples = {}, 0
    training.epoch, training.step_in_epoch = training.epoch + 1, 0


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


def _diverged_row(task: Task, training: Training, replica: int) -> Row:
    why, number = training.learner.diverged[replica], training.learner.diverged_at[replica]
    training.standings[replica].diverged = why
    return {**_identity(task, training, replica), "step": number + 1, "split": "train", "diverged": why}


def _measured_rows(task: Task, training: Training, replica: int) -> Iterator[Row]:
    model = training.learner.module(replica)
    select, standing, epoch = task.recipe.select, training.standings[replica], training.epoch
    for split, measure in task.measure.items():
        # A network may sample while it is measured as well.
        rng.start_stream(training.learner.seeds[replica], f"measure {split} {epoch}")
        metrics = task.place.ranks.of_first(measure(model))
        yield {**_identity(task, training, replica), "split": split, **metrics}
        if select is None or split != select.split:
            continue
        watched = _watched(metrics, select.metric, split)
        if select.improves(watched, standing.best):
            standing.best, standing.best_epoch = watched, epoch
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


def _watched(metrics: dict[str, float], metric: str, split: str) -> float:
    if metric not in metrics:
        raise UsageError(f"select watches '{metric}', which is not measured on {split}: measured are {list(metrics)}")
    return metrics[metric]
