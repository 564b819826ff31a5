"""How one arm learns."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import torch

from gradlab.errors import UsageError
from gradlab.training.schedules import Schedule, constant

_CONSTANT = constant()
FEW_AN_EPOCH, FITTING_AN_EPOCH, FEW_IN_ALL = 4, 16, 100
"""Steps: fewer than the first an epoch and the last in all are few; the second is what an epoch should have."""
MakeOptimizer = Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which measurement decides on the weights that are kept.

    `split` and `metric` name it as in the rows, such as "validation" and "accuracy".
    """

    split: str = "validation"
    metric: str = "accuracy"
    best: Literal["largest", "smallest"] = "largest"

    def improves(self, value: float, best: float | None) -> bool:
        """Whether `value` is better than the best so far; a value that is not a number never is."""
        if math.isnan(value):
            return False
        if best is None:
            return True
        return value > best if self.best == "largest" else value < best


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one arm learns.

    Args:
        epochs: passes over the training split, at least 1.
        batch_size: samples a step.
        optimizer: makes the optimiser of the given parameters, such as `lambda p: torch.optim.SGD(p, lr=0.01)`.
        schedule: the factor on the learning rate at each step.
        clip_norm: gradients of a replica are scaled down to this 2-norm; None leaves them.
        l1: weight of the sum of the parameters' absolute values, added to the loss.
        drop_last: leaves out a last batch smaller than the others.
        select: keeps the weights of the best epoch by this measurement; None keeps the last epoch's.
        patience: stops a replica after so many epochs without improvement of `select`; None never.
        window: besides each epoch's row, one train row every so many steps; None for none.

    Raises:
        UsageError: a number is out of range, or `patience` comes without `select`.
    """

    epochs: int
    batch_size: int
    optimizer: MakeOptimizer
    schedule: Schedule = _CONSTANT
    clip_norm: float | None = None
    l1: float = 0.0
    drop_last: bool = False
    select: Selection | None = None
    patience: int | None = None
    window: int | None = None

    def __post_init__(self) -> None:
        for name, smallest in {"epochs": 1, "batch_size": 1, "patience": 1, "window": 1}.items():
            value = getattr(self, name)
            if value is not None and value < smallest:
                raise UsageError(f"{name} must be at least {smallest}: got {value}")
        if self.l1 < 0 or (self.clip_norm is not None and self.clip_norm <= 0):
            raise UsageError(f"l1 must be >= 0 and clip_norm positive: got {self.l1} and {self.clip_norm}")
        if self.patience is not None and self.select is None:
            raise UsageError("patience (early stopping) needs a measurement to watch: set select")

    def steps_per_epoch(self, samples: int) -> int:
        """Optimiser steps in one epoch over so many samples.

        Raises:
            UsageError: a batch is larger than the data.
        """
        if self.batch_size > samples:
            raise UsageError(
                f"batch_size {self.batch_size} is larger than the training split of {samples} samples: "
                f"set it to {samples} or less (--batch-size)"
            )
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def too_few_steps(self, samples: int) -> str | None:
        """A warning where few images in large batches leave an optimiser hardly a step to learn by, else None."""
        steps = self.steps_per_epoch(samples)
        if steps >= FEW_AN_EPOCH or steps * self.epochs >= FEW_IN_ALL:
            return None
        return (
            f"{samples} training samples in batches of {self.batch_size} make {steps * self.epochs} steps in all, few "
            f"to learn by: a smaller batch gives more (--batch-size {max(1, samples // FITTING_AN_EPOCH)})"
        )
