"""An arm's recipe as plain values, for the record of its run."""

import inspect
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import torch

from gradlab.augment import ContrastiveTransformations, Pipeline, Transform
from gradlab.training import schedules
from gradlab.training.recipe import Recipe
from gradlab.training.schedules import Schedule
from gradlab.training.state import optimizer_settings
from gradlab.training.task import Objective

NOT_TOLD = ("uniforms", "mean", "standard_deviation")
"""Settings of a transform that follow from the data, or from its other settings."""


def recorded_recipe(
    recipe: Recipe, samples: int, objective: Objective, prepare: Transform | None = None
) -> dict[str, Any]:
    """How one arm learns, as JSON values: all of `Recipe`, the objective, and what is done to its inputs.

    Args:
        recipe: of the arm.
        samples: in the training split.
        objective: what is made small.
        prepare: what turns a batch of inputs into what the network takes.
    """
    # Optimisers are made for parameters, and some treat vectors and matrices differently.
    stand_ins = [torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1, 1))]
    return {
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "steps_per_epoch": recipe.steps_per_epoch(samples),
        "optimizer": optimizer_settings(recipe.optimizer(stand_ins)),
        "schedule": schedule_name(recipe.schedule),
        "objective": objective_told(objective),
        "inputs": transforms_told(prepare),
        "clip_norm": recipe.clip_norm,
        "l1": recipe.l1,
        "drop_last": recipe.drop_last,
        "select": None if recipe.select is None else asdict(recipe.select),
        "patience": recipe.patience,
    }


def objective_told(objective: Objective) -> dict[str, Any]:
    """What is made small: its name and its plain settings."""
    return {"name": _name(objective), **_settings(getattr(objective, "keywords", {}))}


def schedule_name(schedule: Schedule) -> str:
    """The name of the function in `schedules` that made a schedule, such as "one_cycle"; "its own" for any other."""
    if getattr(schedule, "__module__", None) != schedules.__name__:
        return "its own"
    name = schedule.__qualname__.partition(".")[0]
    inner = inspect.getclosurevars(schedule).nonlocals.get("schedule")
    return name if inner is None else f"{name} and {schedule_name(inner)}"


def transforms_told(prepare: Transform | None) -> list[dict[str, Any]]:
    """Every transform that a batch goes through, first to last: its name and its plain settings."""
    if prepare is None:
        return []
    if isinstance(prepare, Pipeline):
        return [told for transform in prepare.transforms for told in transforms_told(transform)]
    if isinstance(prepare, ContrastiveTransformations):
        view = transforms_told(prepare.base_transforms)
        return [*view, {"name": _name(prepare), "n_views": prepare.n_views}]
    public = {name: value for name, value in getattr(prepare, "__dict__", {}).items() if not name.startswith("_")}
    return [{"name": _name(prepare), **_settings(public)}]


def _name(made: Callable[..., Any]) -> str:
    if isinstance(made, partial):
        return _name(made.func)
    return getattr(made, "__name__", type(made).__name__).strip("<>")


def _settings(values: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in values.items() if name not in NOT_TOLD and _is_plain(value)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(part, int | float | str) for part in value)
    return isinstance(value, int | float | str)
