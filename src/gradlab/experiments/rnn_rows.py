"""How well do recurrent networks read a digit row by row, and what do gates and initial weights do for them?

Expect: networks with gates (LSTM, GRU) pass 98 % on MNIST and the plain RNN stays behind, since its state is rewritten
at each of the 28 rows. Orthogonal recurrent weights, which the cheat-sheet recommends, keep the length of the state and
help the plain one; normal weights of its variance 1 / inputs are meant for ReLU units, so less is expected of them.
Source: cheat-sheet, "Recurrent Neural Networks", "LSTM" and "Parameter initialization"; reading pixels in order:
Le et al. 2015, "A simple way to initialize recurrent networks of rectified linear units".
Command: `gradlab run rnn_rows`
Cost: 20 min 58 s for 5 arms x 3 seeds, float32, 2 cores (results/rnn_rows.json).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from gradlab.augment import Normalize
from gradlab.data import Images
from gradlab.evaluation import examine, measure_classification
from gradlab.models import RNNModel
from gradlab.models.rnn import Cell, Start
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Heading,
    Text,
    accuracies_sentence,
    accuracy_of,
    best_validated,
    changes_table,
    classification_blocks,
    differences,
    line_chart,
    reading,
    results_table,
    ties_told,
)
from gradlab.training import Recipe, Run, Selection, schedules

ARMS: dict[str, tuple[Cell, Start]] = {
    "RNN": ("RNN", "torch"),
    "orthogonal RNN": ("RNN", "orthogonal"),
    "variance RNN": ("RNN", "variance"),
    "GRU": ("GRU", "torch"),
    "LSTM": ("LSTM", "torch"),
}
"""The layer of each arm and its initial weights."""
STARTS = ("orthogonal RNN", "variance RNN")
"""Arms that differ from the plain RNN in nothing but their initial weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    arms: tuple[Literal["RNN", "orthogonal RNN", "variance RNN", "GRU", "LSTM"], ...] = (
        "RNN",
        "orthogonal RNN",
        "variance RNN",
        "GRU",
        "LSTM",
    )
    """recurrent layers: the plain one from three kinds of initial weights, and two with gates"""
    hidden: int = 128
    """units of the recurrent layer"""
    epochs: int = 5
    """passes over the training split"""
    image_size: int = 28
    """side to which other images are resized, in pixels"""
    batch_size: int = 128
    """images a step"""
    learning_rate: float = 0.003
    """highest learning rate of Adam along the one cycle"""
    clip_norm: float = 1.0
    """2-norm to which longer gradients are shortened"""
    rows_apart: int = 2
    """accuracy is measured after every so many rows"""


QUICK = Config(data="digits", arms=("RNN", "orthogonal RNN", "LSTM"), hidden=32, epochs=8, image_size=8, batch_size=64,
               learning_rate=0.01)  # fmt: skip


class Rows(nn.Module):
    """An image as a sequence: its rows from top to bottom, the channels of a row side by side."""

    def forward(self, images: Tensor) -> Tensor:
        """Returns [batch, height, channels x width] of images [batch, channels, height, width]."""
        return images.transpose(1, 2).flatten(2)


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of an arm, for images of [channels, height, width]."""
    channels, _height, width = shape
    cell, start = ARMS[arm]
    return nn.Sequential(Rows(), RNNModel(channels * width, config.hidden, classes, start=start, cell=cell))


def recipe(config: Config, samples: int) -> Recipe:
    """How every arm learns: Adam along one cycle, gradients clipped, the weights that validate best kept."""
    steps = config.epochs * -(-samples // config.batch_size)
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.Adam, lr=config.learning_rate),
        schedule=schedules.one_cycle(steps=max(steps, 2)),
        clip_norm=config.clip_norm,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every arm; measures validation each epoch, the test split with the selected weights."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    for arm in config.arms:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, len(splits.train)),
            prepare=normalize,
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        examination = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, examination.arrays)
        yield from ({"arm": arm, **row} for row in examination.rows)
        for seed, model in trained.models.items():
            for rows in row_counts(config, splits.shape[-2]):
                found = measure_classification(model, upper_rows(splits.test, rows), normalize)
                yield {"arm": arm, "seed": seed, "split": "test", "rows": rows, "accuracy": found["accuracy"]}


def row_counts(config: Config, height: int) -> list[int]:
    """After how many rows the accuracy is measured: none, every `rows_apart`, all."""
    return sorted({*range(0, height, max(config.rows_apart, 1)), height})


def upper_rows(images: Images, rows: int) -> Images:
    """The images with everything below their first rows in black."""
    pixels = images.pixels.clone()
    pixels[:, :, rows:] = 0
    return replace(images, pixels=pixels)


def page(run: RunFolder) -> list[Block]:
    """The comparison, learning curves, the initial weights, the accuracy row by row, and what is taken for what."""
    rows, results = run.rows(), run.document("results")
    arms = list(results["arms"])
    best = best_validated(run, arms)
    height = run.document("environment")["data"]["shape"][-2]
    lead = f"The network that validates best, {best}, reads {accuracy_of(results, best)} of the test images right."
    return [
        Answer(" ".join([lead, accuracies_sentence(results), ties_told(run, arms)]).strip()),
        line_chart(rows, where={"split": ["train", "validation"]}, percent=True, title="Accuracy over epochs",
                   caption="Training accuracy is a running mean over the epoch."),
        results_table(results, ["test_accuracy", "test_loss"]),
        *_starts_blocks(results),
        Heading("Row by row"),
        Text(f"{_rows_told(rows, best, height)} The rows not yet read are black, and the network answers after the "
             "last one, as in training."),
        line_chart(rows, x="rows", where={"split": "test"}, percent=True, title="Accuracy by the number of rows seen",
                   x_label="rows seen, from the top", y_label="test accuracy"),
        *classification_blocks(run, best),
    ]  # fmt: skip


def _starts_blocks(results: Mapping[str, Any]) -> list[Block]:
    """Every arm beside the plain RNN, if that was trained with others."""
    others = [arm for arm in results["arms"] if arm != "RNN"]
    found = differences(results, "RNN", others)
    if not found:
        return []
    starts = "; ".join(f"{arm} {reading(found[arm])}" for arm in STARTS if arm in found)
    told = f"Against the RNN with torch's own weights, uniform within 1 / sqrt(hidden): {starts}. " if starts else ""
    return [
        Heading("Gates and initial weights"),
        Text(f"{told}The orthogonal and the variance RNN differ from the RNN in nothing but the weights that they "
             "start from (and biases of zero)."),
        changes_table(results, {"RNN": others}),
    ]  # fmt: skip


def _rows_told(rows: Sequence[Row], arm: str, height: int) -> str:
    """After how many rows an arm is right for half and for nine tenths of the images, in the mean over seeds."""
    values: dict[int, list[float]] = {}
    for row in rows:
        if row["arm"] == arm and "rows" in row and row["accuracy"] is not None:
            values.setdefault(int(row["rows"] or 0), []).append(float(row["accuracy"]))
    means = {count: sum(found) / len(found) for count, found in sorted(values.items())}
    told = []
    for share, name in ((0.5, "half"), (0.9, "nine tenths")):
        enough = [count for count, mean in means.items() if mean >= share]
        after = f"after {enough[0]} of {height} rows" if enough else "after no number of rows"
        told.append(f"for {name} of the images {after}")
    return f"{arm} is right {' and '.join(told)}."
