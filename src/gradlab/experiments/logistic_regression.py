"""How well does one linear layer read handwritten digits?

Expect: an error near 8 % on images it has not seen; after the first hundred batches of 50 the training error is near
25 % already. One layer gives each pixel a vote for each digit and cannot combine pixels.
Source: the slides, "Example: MLP for MNIST" (logistic regression and its printed training error).
Command: `gradlab run logistic_regression`
Cost: 16 s for 1 arm x 3 seeds, float32, 2 cores (results/logistic_regression.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from gradlab.augment import Normalize
from gradlab.evaluation import examine, measure_classification
from gradlab.models import LogRegression
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Text,
    classification_blocks,
    error_sentence,
    line_chart,
    with_error,
)
from gradlab.training import Recipe, Run

ARM = "logistic regression"
SLIDES_LOG = ((100, 0.981, 0.2502), (200, 0.538, 0.1326), (300, 0.467, 0.127), (400, 0.425, 0.1138),
              (500, 0.414, 0.1182), (600, 0.384, 0.11), (700, 0.37, 0.1018), (800, 0.374, 0.1078),
              (900, 0.349, 0.0948), (1000, 0.347, 0.0984), (1100, 0.35, 0.0992))  # fmt: skip
"""Steps, loss in nats and training error that the slides print for the first epoch, each over the last 100 batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    epochs: int = 10
    """passes over the training split"""
    batch_size: int = 50
    """images a step"""
    learning_rate: float = 0.01
    """of plain stochastic gradient descent"""
    window: int = 100
    """steps averaged in one point of the training curve"""


QUICK = Config(data="digits", epochs=20, learning_rate=0.1, window=5)


def network(_config: Config, _arm: str, shape: tuple[int, int, int], classes: int) -> LogRegression:
    """The network of the only arm, for images of [channels, height, width]."""
    channels, height, width = shape
    return LogRegression(channels * height * width, classes)


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains with the slides' settings; measures validation each epoch, the test split once at the end."""
    splits = run.load(config.data)
    prepare = Normalize(*splits.normalisation)
    recipe = Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.SGD, lr=config.learning_rate),
        window=config.window,
    )
    trained = yield from run.fit(
        ARM,
        lambda: network(config, ARM, splits.shape, len(splits.classes)),
        (splits.train.pixels, splits.train.labels),
        classification,
        recipe,
        prepare=prepare,
        measure={"validation": partial(measure_classification, images=splits.validation, prepare=prepare)},
    )
    examination = examine(trained.models, splits.test, prepare)
    run.keep_arrays(ARM, examination.arrays)
    yield from ({"arm": ARM, **row} for row in examination.rows)


def page(run: RunFolder) -> list[Block]:
    """The slides' curve, then what the network gets right and wrong."""
    rows = with_error(run.rows())
    steps, epochs = [row for row in rows if "step" in row], [row for row in rows if "step" not in row]
    first_epoch = [row for row in steps if row["epoch"] == 1]
    slides = [{"arm": "the slides", "step": step, "loss": loss, "error": error} for step, loss, error in SLIDES_LOG]
    on_mnist = run.document("config")["config"]["data"] == "mnist"
    blocks: list[Block] = [
        Answer(error_sentence(run.document("results"), ARM)),
        Text("Training error is measured while the weights still change, over the last batches, on images that were "
             "just learned from: it is not the performance of the network. The test error below is."),
        line_chart(first_epoch + slides * on_mnist, x="step", y="error", by="arm", percent=True,
                   title="Training error in the first epoch", x_label="optimiser step", y_label="training error"),
        line_chart(steps, x="step", y="error", by="arm", percent=True, log_y=True,
                   title="Training error", x_label="optimiser step", y_label="training error"),
        line_chart(epochs, x="epoch", y="error", by="arm", where={"split": ["train", "validation"]}, percent=True,
                   title="Error over epochs", x_label="epoch", y_label="error"),
    ]  # fmt: skip
    return blocks + classification_blocks(run, ARM)
