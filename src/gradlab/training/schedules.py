"""Learning-rate schedules as plain functions: step (0, 1, ...) -> factor on the optimiser's own learning rate."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

Schedule = Callable[[int], float]
"""Takes the number of optimiser steps made so far, returns the factor on the base learning rate."""


def constant() -> Schedule:
    """The factor 1 at every step."""
    return lambda _step: 1.0


def step_decay(*, every: int, factor: float = 0.1) -> Schedule:
    """Multiplies by `factor` after every `every` steps."""
    return lambda step: factor ** (step // every)


def multi_step(milestones: Sequence[int], *, factor: float = 0.1) -> Schedule:
    """Multiplies by `factor` at each milestone (in steps, ascending)."""
    ordered = sorted(milestones)
    return lambda step: factor ** bisect_right(ordered, step)


def cosine(*, steps: int, floor: float = 0.0) -> Schedule:
    """Falls from 1 to `floor` along half a cosine over `steps` steps, then stays.

    Source: Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts.
    """
    return lambda step: floor + (1 - floor) * (1 + math.cos(math.pi * min(step, steps) / steps)) / 2


def linear(*, steps: int) -> Schedule:
    """Falls from 1 in a straight line, and would be 0 after `steps` steps."""
    return lambda step: 1 - min(step, steps) / steps


def warm_up(schedule: Schedule, *, steps: int, start: float = 0.0) -> Schedule:
    """Rises linearly from `start` to 1 over `steps` steps, times `schedule`; no steps change nothing."""
    return lambda step: schedule(step) * (start + (1 - start) * step / steps if step < steps else 1.0)


def one_cycle(*, steps: int, rise: float = 0.3, start: float = 1 / 25, end: float = 1 / 250_000) -> Schedule:
    """Rises from `start` to 1 over the share `rise` of the steps, then falls to `end`, both along half a cosine.

    Source: Smith and Topin 2018, "Super-convergence". Differs from the paper: half cosines for straight lines, and the
    momentum is left alone.

    Raises:
        ValueError: fewer than two steps, or `rise` is not between 0 and 1.
    """
    if steps < 2 or not 0 < rise < 1:
        raise ValueError(f"one_cycle needs at least 2 steps and 0 < rise < 1: got steps={steps}, rise={rise}")
    top = rise * steps - 1

    def factor(step: int) -> float:
        if step <= top:
            return _half_cosine(start, 1.0, step / top if top > 0 else 1.0)
        return _half_cosine(1.0, end, min(1.0, (step - top) / (steps - 1 - top)))

    return factor


def _half_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
