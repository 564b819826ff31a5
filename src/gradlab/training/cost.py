"""What a step of training costs."""

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor, nn

from gradlab.augment import Transform
from gradlab.training.fit import collect, fit
from gradlab.training.recipe import Recipe
from gradlab.training.task import Objective, Place


def step_seconds(
    make_model: Callable[[], nn.Module],
    examples: tuple[Tensor, Tensor],
    objective: Objective,
    recipe: Recipe,
    *,
    prepare: Transform | None = None,
    place: Place | None = None,
) -> float:
    """Seconds of one optimiser step of one replica once it is warm, measured on a handful of steps.

    See `fit` for the arguments.
    """
    dry = replace(place or Place(), dry=True, state=None)
    unselected = replace(recipe, select=None, patience=None)  # nothing is measured here that could be selected by
    training = fit(
        make_model, examples, objective, unselected, seeds=(0,), together="in a row", prepare=prepare, place=dry
    )
    _rows, trained = collect(training)
    assert trained.step_seconds is not None
    return trained.step_seconds
