"""Do the cheat-sheet's learning rates for SGD with momentum, Adam and RMSprop hold?

Expect: 0.01 to 0.1 for SGD with momentum, yes. 0.00001 to 0.0003 for Adam, no: within a few epochs such rates are too
small for a small network, and 0.001 to 0.003 learns better; they suit long trainings of large networks. RMSprop, whose
steps are as large as Adam's whatever the gradient, wants rates like Adam's rather than "somewhere between".
Rates are judged by validation images; the test split is never read.
Source: cheat-sheet, "Ballpark estimates of hyperparameters", optimiser and learning rate.
Command: `gradlab run learning_rates`
Cost: 4 min 39 s for 33 arms x 3 seeds, float32, 1 core (results/learning_rates.json).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch

from gradlab.augment import Normalize
from gradlab.evaluation import examine, measure_classification
from gradlab.models import MLP
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import Answer, Block, Bullets, Table, Text, gain_text, line_chart
from gradlab.report.results import values_by_seed
from gradlab.stats import Comparison, Summary, compare, format_interval, summarise
from gradlab.training import Recipe, Run

OPTIMIZERS = {
    "SGD with momentum": partial(torch.optim.SGD, momentum=0.9),
    "Adam": torch.optim.Adam,
    "RMSprop": torch.optim.RMSprop,
}
SHEET = {"SGD with momentum": (0.01, 0.1), "Adam": (1e-5, 3e-4), "RMSprop": (3e-4, 0.01)}
"""The cheat-sheet's ranges; for RMSprop, "somewhere between SGD and Adam", what lies between the other two."""
CLOSE = 0.01
"""Rates whose accuracy is at most so far below the best one's count as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    optimizers: tuple[Literal["SGD with momentum", "Adam", "RMSprop"], ...] = ("SGD with momentum", "Adam", "RMSprop")
    """optimisers to try"""
    rates: tuple[float, ...] = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
    """learning rates to try with each"""
    hidden: tuple[int, ...] = (64,)
    """units of each hidden layer"""
    epochs: int = 5
    """passes over the training split"""
    batch_size: int = 128
    """images a step"""


QUICK = Config(data="digits", rates=(0.001, 0.01, 0.1), epochs=3, batch_size=64)


def arm_of(optimizer: str, rate: float) -> str:
    """The name of the arm that trains with an optimiser at a rate."""
    return f"{optimizer}, {plain(rate)}"


def plain(rate: float) -> str:
    """A rate without powers of ten, such as 0.00001."""
    return np.format_float_positional(rate, trim="-")


def network(config: Config, _arm: str, shape: tuple[int, int, int], classes: int) -> MLP:
    """The network of every arm, for images of [channels, height, width]."""
    channels, height, width = shape
    return MLP(channels * height * width, classes, config.hidden)


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains with every optimiser at every rate; measures the validation split."""
    splits = run.load(config.data)
    normalize = Normalize(*splits.normalisation)
    for optimizer in config.optimizers:
        for rate in config.rates:
            arm = arm_of(optimizer, rate)
            trained = yield from run.fit(
                arm,
                lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
                (splits.train.pixels, splits.train.labels),
                classification,
                Recipe(
                    epochs=config.epochs,
                    batch_size=config.batch_size,
                    optimizer=partial(OPTIMIZERS[optimizer], lr=rate),
                ),
                prepare=normalize,
                measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
                may_diverge=True,
            )
            examination = examine(trained.models, splits.validation, normalize, split="validation")
            yield from ({"arm": arm, **row} for row in examination.rows)


def page(run: RunFolder) -> list[Block]:
    """Loss and accuracy over the learning rate, the good rates of each optimiser, and the cheat-sheet's beside them."""
    rows, arms = run.rows(), run.document("results")["arms"]
    config = Config(**run.document("config")["config"])
    seeds = len(run.document("config")["seeds"])
    found = {name: reached for name in config.optimizers if (reached := _accuracies(arms, name, config.rates, seeds))}
    lost = [f"{name} at {plain(rate)}" for name in config.optimizers for rate in config.rates
            if len(values_by_seed(arms[arm_of(name, rate)], "validation_accuracy")) < seeds]  # fmt: skip
    last = [{**row, "optimizer": name, "learning_rate": rate} for name in config.optimizers for rate in config.rates
            for row in rows if row["arm"] == arm_of(name, rate) and row.get("epoch") == config.epochs]  # fmt: skip
    axes = {"x": "learning_rate", "by": "optimizer", "log_x": True, "x_label": "learning rate"}
    return [
        Answer(" ".join(_told(name, reached) for name, reached in found.items()) or "Every training diverged."),
        Text(f"Diverged with one seed at least, and so not good: {', '.join(lost) or 'none'}."),
        line_chart(last, y="loss", log_y=True, where={"split": "train"}, title="Training loss by learning rate",
                   y_label="training loss in the last epoch, nats", **axes),
        line_chart(last, y="accuracy", percent=True, where={"split": "validation"},
                   title="Validation accuracy by learning rate", **axes),
        Table(("optimiser", "best rate", "validation accuracy", "good rates", "cheat-sheet"),
              [_row(name, reached) for name, reached in found.items()],
              f"Good rates are those tried whose mean validation accuracy is at most {100 * CLOSE:g} point below the "
              f"best; after {config.epochs} epochs.", ("validation_accuracy", "validation_loss")),
        Text("The best rate in the cheat-sheet's range against the best of all, paired by seed:"),
        Bullets(tuple(_against_sheet(arms, name, reached) for name, reached in found.items())),
        Text("The best of several rates is chosen and judged by the same validation images, so its accuracy is a "
             "little too good; the range of good rates is what counts. Longer trainings may favour lower rates."),
    ]  # fmt: skip


def _accuracies(arms: Mapping[str, Any], optimizer: str, rates: Sequence[float], seeds: int) -> dict[float, Summary]:
    """Rate -> the validation accuracy, for the rates at which none of the seeds diverged, in ascending order."""
    values = {rate: values_by_seed(arms[arm_of(optimizer, rate)], "validation_accuracy") for rate in sorted(rates)}
    return {rate: summarise(list(by_seed.values()), share=True) for rate, by_seed in values.items()
            if len(by_seed) == seeds}  # fmt: skip


def _best(reached: Mapping[float, Summary]) -> float:
    return max(reached, key=lambda rate: reached[rate].mean)


def _good(reached: Mapping[float, Summary]) -> list[float]:
    return [rate for rate, found in reached.items() if found.mean >= reached[_best(reached)].mean - CLOSE]


def _in_sheet(name: str, rates: Sequence[float]) -> list[float]:
    low, high = SHEET[name]
    return [rate for rate in rates if low <= rate <= high]


def _span(rates: Sequence[float]) -> str:
    return f"{plain(min(rates))} to {plain(max(rates))}" if len(set(rates)) > 1 else plain(rates[0])


def _told(name: str, reached: Mapping[float, Summary]) -> str:
    """Whether the cheat-sheet's range holds, or what it should be here."""
    good, tried = _good(reached), _in_sheet(name, list(reached))
    kept = [rate for rate in tried if rate in good]
    if not tried:
        return f"{name}: no rate of the cheat-sheet's range was tried; good rates are {_span(good)}."
    if len(kept) == len(tried):
        return f"{name}: {_span(SHEET[name])} holds; good rates reach from {_span(good)}."
    return (
        f"{name}: {_span(SHEET[name])} is corrected to {_span(good)}; {len(kept)} of the {len(tried)} rates tried in "
        f"the cheat-sheet's range are good."
    )


def _row(name: str, reached: Mapping[float, Summary]) -> tuple[str, ...]:
    best = _best(reached)
    ends = " (an end of what was tried)" if best in (min(reached), max(reached)) else ""
    accuracy = format_interval(reached[best], percent=True)
    return name, f"{plain(best)}{ends}", accuracy, _span(_good(reached)), _span(SHEET[name])


def _against_sheet(arms: Mapping[str, Any], name: str, reached: Mapping[float, Summary]) -> str:
    tried = {rate: reached[rate] for rate in _in_sheet(name, list(reached))}
    if not tried:
        return f"{name}: none was tried."
    inside, best = _best(tried), _best(reached)
    if inside == best:
        return f"{name}: the best rate of all, {plain(best)}, lies in the range."
    made = _compared(arms, arm_of(name, inside), arm_of(name, best))
    return f"{name}: {plain(inside)} against {plain(best)}: {gain_text(made)} ({made.n} seeds)."


def _compared(arms: Mapping[str, Any], first: str, second: str) -> Comparison:
    values = [values_by_seed(arms[arm], "validation_accuracy") for arm in (first, second)]
    return compare(values[0], values[1], names=(first, second), percent=True, share=True)
