"""When training is saved, what is saved, and how it is taken up again."""

import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from gradlab.errors import FileError
from gradlab.records import slug
from gradlab.training.agreement import fingerprint_of, refuse_misshapen, refuse_other_settings, same_ground, settings_of
from gradlab.training.batches import EpochBatches
from gradlab.training.identity import identity_of
from gradlab.training.learner import Learner, Standing, Training
from gradlab.training.solo import Solo, under
from gradlab.training.stack import Stack
from gradlab.training.state import newest_state, write_state
from gradlab.training.task import Task
from gradlab.training.ticker import progress_of
from gradlab.training.twins import twin_of

SAVE_SHARE = 0.01  # of the time goes into saving, at most


def start(task: Task, learner: Learner) -> Training:
    """A training at its beginning, or where its newest valid state left it."""
    training = Training(learner, [Standing() for _ in learner.seeds], [{} for _ in learner.seeds])
    folder = state_folder(task, learner)
    found = newest_state(folder) if folder is not None else None
    if task.place.twins is not None:
        training.identity = identity_of(task, learner)
    if task.place.compile == "on" and not _is_finished(found):
        learner.compile(*EpochBatches(task, learner, 1).batch(0)[:2])
    training.fingerprint = fingerprint_of(task, learner)
    twin = twin_of(task, training, folder.name) if found is None and folder is not None else None
    if found := found or twin:
        _restore(task, training, *found)
        task.place.report(progress_of(task, training))
    if twin and folder is not None:
        write_state(folder, _steps_made(task, twin[1]) + 1, *twin)
    if folder is not None and not training.finished:
        _refuse_full_disk(learner, folder)
    task.place.ranks.agree("saved states", [training.epoch, training.step_in_epoch])
    return training


def _is_finished(found: tuple[dict[str, Tensor], Any] | None) -> bool:
    return found is not None and isinstance(found[1], dict) and found[1].get("finished") is True


class Saver:
    """Saves often enough to lose little and seldom enough to cost little, and stops when asked to."""

    def __init__(self, task: Task, training: Training) -> None:
        self._task, self._training = task, training
        self._folder = state_folder(task, training.learner)
        self._settings = settings_of(task, training.learner) if self._folder is not None else {}
        self._saved_at = self._started = time.perf_counter()
        self._before = training.seconds
        self._interval = task.place.save_seconds
        self._stopping = False

    def due(self, number: int) -> bool:
        """Whether it is time to save after this step, or a signal asks to."""
        place = self._task.place
        self._stopping = bool(place.stop.signal_number)  # one that comes while it saves is seen after the next step
        if self._stopping:
            return True
        if place.save_steps is not None:
            return (number + 1) % place.save_steps == 0
        return time.perf_counter() - self._saved_at > self._interval

    def save(self) -> None:
        """Saves; called after a step where saving was due, and raises if a signal came."""
        self._save()
        if self._stopping:
            raise self._task.place.stop.error()

    def epoch_done(self) -> None:
        """Called after each epoch's measurements; always saves a training that is finished."""
        if self._training.finished or time.perf_counter() - self._saved_at > self._interval:
            self._save()

    def _save(self) -> None:
        begin = time.perf_counter()
        self._training.seconds = self._before + begin - self._started
        if self._folder is not None and self._task.place.ranks.rank == 0:
            _save(self._task, self._training, self._folder, self._settings)
        self._saved_at = time.perf_counter()
        self._interval = max(self._task.place.save_seconds, (self._saved_at - begin) / SAVE_SHARE)


def state_folder(task: Task, learner: Learner) -> Path | None:
    """The folder of a learner's state; None where nothing is kept."""
    if task.place.state is None or task.place.dry:
        return None
    name = "-".join([learner.kind, *map(str, learner.seeds)])
    return task.place.state / slug(task.arm) / name


def saved_kinds(task: Task) -> set[str]:
    """Which kinds of learners have saved states of this arm: `Stack.kind`, `Solo.kind`."""
    if task.place.state is None or task.place.dry:
        return set()
    return {folder.name.partition("-")[0] for folder in (task.place.state / slug(task.arm)).glob("*-*")}


def groups_to_stack(task: Task, seeds: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """Each group of seeds and whether it is a `Stack` or a `Solo`: seeds of an earlier session stay as they were."""
    if task.place.state is None or task.place.dry:
        return [(Stack.kind, seeds)]
    left, groups = list(seeds), []
    for folder in sorted((task.place.state / slug(task.arm)).glob("*-*")):
        kind, *names = folder.name.split("-")
        group = [seed for seed in seeds if str(seed) in names]
        if kind in (Stack.kind, Solo.kind) and list(map(str, group)) == names and set(group) <= set(left):
            groups.append((kind, tuple(group)))
            left = [seed for seed in left if seed not in group]
    return [*groups, (Stack.kind, tuple(left))] if left else groups


def _refuse_full_disk(learner: Learner, folder: Path) -> None:
    """Notices before the first step, rather than at the first save, that not even the weights fit on the disk.

    Raises:
        FileError: they do not.
    """
    needed = sum(tensor.nbytes for tensor in learner.tensors()[0].values())
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise FileError(
            f"cannot write {folder}: {free:,} bytes are free, and saving takes at least {needed:,}; "
            "free some space or choose another --out"
        )


def _save(task: Task, training: Training, folder: Path, settings: dict[str, Any]) -> None:
    tensors, scalars = training.learner.tensors()
    for replica, weights in enumerate(training.best_weights):
        tensors |= {f"best/{replica}/{name}": tensor for name, tensor in weights.items()}
    meta = {
        "fingerprint": fingerprint_of(task, training.learner),
        "settings": settings,
        "epoch": training.epoch,
        "step_in_epoch": training.step_in_epoch,
        "standings": [asdict(standing) for standing in training.standings],
        "rows": training.rows,
        "finished": training.finished,
        "exact": training.exact,
        "seconds": training.seconds,
        "identity": training.identity,
        "taken_from": training.taken_from,
        "optimizer": scalars,
    }
    # A finished training stops short of nothing: its number is above that of any state saved on the way.
    write_state(folder, _steps_made(task, meta) + training.finished, tensors, meta)


def _steps_made(task: Task, meta: dict[str, Any]) -> int:
    return (meta["epoch"] - 1) * task.steps_per_epoch + meta["step_in_epoch"]


def _restore(task: Task, training: Training, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    refuse_misshapen(task, training, meta)
    refuse_other_settings(task, training.learner, meta["settings"])
    try:
        training.learner.restore(tensors, meta["optimizer"])
        training.standings = [Standing(**standing) for standing in meta["standings"]]
        training.best_weights = [under(f"best/{replica}/", tensors) for replica in range(len(meta["standings"]))]
        training.epoch, training.step_in_epoch = meta["epoch"], meta["step_in_epoch"]
        training.rows, training.finished = meta["rows"], meta["finished"]
        training.seconds, training.taken_from = meta["seconds"], meta.get("taken_from")
        if training.finished:
            training.exact, training.fingerprint = meta["exact"], meta["fingerprint"]
        else:
            training.exact = meta["exact"] and same_ground(meta["fingerprint"], training.fingerprint)
    except (KeyError, IndexError, TypeError, RuntimeError, ValueError) as error:
        raise FileError(f"the saved state of '{task.arm}' is not of this model and recipe: {error}") from error
    for replica, standing in enumerate(training.standings):
        if standing.diverged is not None:
            training.learner.diverged[replica] = standing.diverged
