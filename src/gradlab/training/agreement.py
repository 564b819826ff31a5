"""What a saved state must agree with, so that training may go on from it: the shape, the settings, the ground."""

import hashlib
import warnings
from dataclasses import asdict, fields
from typing import Any

import torch
from torch import Tensor

from gradlab.errors import FileError
from gradlab.training.learner import Learner, Standing, Training
from gradlab.training.recorded import objective_told, transforms_told
from gradlab.training.stack import Stack, losses_summed
from gradlab.training.task import Task

SAMPLED = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)  # where along the training two schedules are held against each other
SHA256_DIGITS, DIGITS_SHOWN = 64, 8
SHAPE: dict[str, Any] = {
    "fingerprint": dict,
    "settings": dict,
    "epoch": int,
    "step_in_epoch": int,
    "standings": list,
    "rows": list,
    "finished": bool,
    "exact": bool,
    "seconds": int | float,
    "optimizer": dict,
}
"""What a state says beside its tensors, and the kind of each value."""
PLAIN = (str, int, float, bool, type(None))
INPUTS_READ = 64
"""How many inputs, spread over all of them, stand for the others where data is told apart."""


def refuse_misshapen(task: Task, training: Training, meta: Any) -> None:
    """A state whose values cannot be a training's, however it was sealed, is refused before anything is taken from it.

    Raises:
        FileError: it is.
    """
    shaped = isinstance(meta, dict) and all(
        isinstance(meta.get(name), kind) and not (kind is not bool and isinstance(meta[name], bool))
        for name, kind in SHAPE.items()
    )
    whole = (
        shaped
        and 1 <= meta["epoch"] <= task.recipe.epochs + 1
        and 0 <= meta["step_in_epoch"] <= task.steps_per_epoch
        and len(meta["standings"]) == len(training.learner.seeds)
        and all(_is_standing(standing) for standing in meta["standings"])
        and all(isinstance(row, dict) and isinstance(row.get("epoch"), int) for row in meta["rows"])
        and all(isinstance(value, int | float | None) for value in meta["optimizer"].values())
        and all(isinstance(value, PLAIN) for row in meta["rows"] for value in row.values())
    )
    if not whole:
        raise FileError(f"the saved state of '{task.arm}' is damaged: its values are not those of a training")


def _is_standing(saved: Any) -> bool:
    """Whether a JSON value has the fields and the kinds of value of a `Standing`."""
    if not isinstance(saved, dict) or saved.keys() != {field.name for field in fields(Standing)}:
        return False
    sums = [saved["sums"], saved["window_sums"]]
    return (
        all(isinstance(entries, dict) and all(isinstance(v, int | float) for v in entries.values()) for entries in sums)
        and all(isinstance(saved[name], int) for name in ("samples", "window_samples"))
        and all(isinstance(saved[name], int | None) for name in ("best_epoch", "finished_epoch"))
        and isinstance(saved["best"], int | float | None)
        and isinstance(saved["diverged"], str | None)
    )


def settings_of(task: Task, learner: Learner) -> dict[str, Any]:
    """Whatever decides on an arm's result beside the ground it stands on, as JSON values."""
    recipe = task.recipe
    return {
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "clip_norm": recipe.clip_norm,
        "l1": recipe.l1,
        "arm": task.arm,
        "samples": len(task.inputs),
        "window": recipe.window,
        "drop_last": recipe.drop_last,
        "patience": recipe.patience,
        "select": None if recipe.select is None else asdict(recipe.select),
        "objective": objective_told(task.objective),
        "inputs": transforms_told(task.prepare),
        "examples": _digest(task),
        "schedule": [recipe.schedule(int(share * task.steps_per_epoch * recipe.epochs)) for share in SAMPLED],
        "optimizer": learner.settings(),
    }


def _digest(task: Task) -> str:
    """The SHA-256, in hexadecimal, of all targets and of some inputs; of files that are decoded on the way, of none."""
    parts = [task.targets]
    if isinstance(task.inputs, Tensor):
        places = torch.linspace(0, len(task.inputs) - 1, INPUTS_READ).long().to(task.inputs.device)
        parts.append(task.inputs.index_select(0, places))
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def refuse_other_settings(task: Task, learner: Learner, saved: dict[str, Any]) -> None:
    """A state taken up under other settings would be a result of neither.

    Raises:
        FileError: it was saved under others.
    """
    now = settings_of(task, learner)
    changed = [f"{name} {saved.get(name)} then, {now[name]} now" for name in now if saved.get(name) != now[name]]
    if changed:
        raise FileError(
            f"the saved state of '{task.arm}' is of other settings ({'; '.join(changed)}): "
            "go back to them or choose another state folder"
        )


def same_ground(saved: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether nothing has changed that can change the bits of a training; says what has."""
    changed = [name for name in now if saved.get(name) != now[name]]
    if changed:
        told = "; ".join(f"{name}: {_brief(saved.get(name))} then, {_brief(now[name])} now" for name in changed)
        # No arm is named, so that it is the same sentence for all, and can be said once.
        warnings.warn(f"training goes on under other conditions ({told}): the result is not exact", stacklevel=2)
    return not changed


def _brief(value: object) -> str:
    """A value in few letters: of a digest the first, which tell it from any other."""
    told = str(value)
    return f"{told[:DIGITS_SHOWN]}…" if len(told) == SHA256_DIGITS else told


def fingerprint_of(task: Task, learner: Learner) -> dict[str, Any]:
    """The ground that an arm stands on: what can change its bits, but not what it is about."""
    stacked = {"losses": losses_summed()} if learner.kind == Stack.kind else {}
    return {**task.fingerprint(), "compiled": learner.compiled, **stacked}
