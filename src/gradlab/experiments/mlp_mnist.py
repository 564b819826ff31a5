"""How do the fully connected networks of 1998 do with the training of today?

Expect: every architecture of LeCun's table makes fewer mistakes than the table says, with the same number of units:
cross entropy, ReLU and Adam make the difference; small random warps (today's "distortions") make another.
Source: the slides, "MNIST: MLP performance", after LeCun et al. 1998, section III and figure 9. The slides head the
table "validation performance"; LeCun's figures are test errors.
Command: `gradlab run mlp_mnist`
Cost: 8 min 10 s for 9 arms x 3 seeds, float32, 2 cores (results/mlp_mnist.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from gradlab.augment import Normalize, Pipeline, SmallAffine
from gradlab.errors import UsageError
from gradlab.evaluation import examine, measure_classification
from gradlab.models import MLP
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Table,
    Text,
    beside_published,
    best_validated,
    classification_blocks,
    line_chart,
    percent,
    ties_told,
    with_error,
)
from gradlab.training import Recipe, Run, schedules

HIDDEN = {"linear": (), "300": (300,), "1000": (1000,), "300+100": (300, 100), "500+150": (500, 150)}
PUBLISHED = {
    "linear": 0.12,
    "300": 0.047,
    "1000": 0.045,
    "300+100": 0.0305,
    "500+150": 0.0295,
    "300 warped": 0.036,
    "1000 warped": 0.038,
    "300+100 warped": 0.025,
    "500+150 warped": 0.0245,
}
"""Test error of LeCun et al. 1998 for the architecture and, where "warped", with distorted training images."""
DESKEWED = (("linear", 0.084), ("pairwise linear", 0.076), ("300", 0.016))
"""Their figures for images straightened beforehand, which has no counterpart here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    networks: tuple[str, ...] = ("linear", "300", "1000", "300+100", "500+150")
    """hidden units of each network, layers joined by +; linear for none"""
    warped: bool = True
    """trains the networks with hidden units a second time, on randomly warped images"""
    epochs: int = 20
    """passes over the training split"""
    batch_size: int = 128
    """images a step"""
    learning_rate: float = 0.002
    """highest learning rate of Adam along the one cycle"""
    degrees: float = 10.0
    """largest random rotation, to either side"""
    translate: float = 1.5
    """largest random shift, in pixels"""
    scale: float = 0.1
    """largest random change of size, as a share"""


QUICK = Config(data="digits", networks=("linear", "300"), epochs=20, learning_rate=0.01, translate=0.5)


def hidden_sizes(arm: str) -> tuple[int, ...]:
    """The hidden layers that an arm's name stands for, such as (300, 100) for "300+100 warped".

    Raises:
        UsageError: the name is not made of numbers.
    """
    name = arm.removesuffix(" warped")
    if name == "linear":
        return ()
    if not all(units.isdigit() and int(units) for units in name.split("+")):
        raise UsageError(f"a network is 'linear' or its hidden units, such as 300+100: got '{arm}'")
    return tuple(int(units) for units in name.split("+"))


def network(_config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> MLP:
    """The network of an arm, for images of [channels, height, width]."""
    channels, height, width = shape
    return MLP(channels * height * width, classes, hidden_sizes(arm))


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every network; measures validation each epoch, the test split once at the end."""
    splits = run.load(config.data)
    normalize = Normalize(*splits.normalisation)
    warp = SmallAffine(degrees=config.degrees, translate=config.translate, scale=config.scale)
    arms = [*config.networks, *(f"{name} warped" for name in config.networks if config.warped and name != "linear")]
    steps = config.epochs * -(-len(splits.train) // config.batch_size)
    recipe = Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.Adam, lr=config.learning_rate, fused=True),
        schedule=schedules.one_cycle(steps=max(steps, 2)),
    )
    for arm in arms:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe,
            prepare=Pipeline([warp, normalize]) if arm.endswith("warped") else normalize,
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        examination = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, examination.arrays)
        yield from ({"arm": arm, **row} for row in examination.rows)


def page(run: RunFolder) -> list[Block]:
    """LeCun's table beside ours, learning curves, and what the best network gets wrong."""
    rows, results = with_error(run.rows()), run.document("results")
    on_mnist = run.document("config")["config"]["data"] == "mnist"
    published = PUBLISHED if on_mnist else {}
    best = best_validated(run, list(results["arms"]))
    sentence, chart, table = beside_published(results, published, best, source="LeCun et al. 1998")
    deskewed = Table(("network of 1998, images straightened first", "test error"),
                     tuple((name, percent(error, 1)) for name, error in DESKEWED),
                     caption="No counterpart here: gradlab does not straighten digits.")  # fmt: skip
    blocks: list[Block] = [
        Answer(f"{sentence} {ties_told(run, list(results['arms']))}".strip()),
        chart,
        table,
        *([deskewed] if on_mnist else []),
        Text("Same architectures, other training: cross entropy instead of squared error, ReLU instead of scaled tanh, "
             "Adam with a one-cycle learning rate instead of online gradient descent."),
        line_chart(rows, x="epoch", y="error", by="arm", where={"split": "validation"}, percent=True,
                   log_y=True, title="Validation error over epochs", x_label="epoch",
                   y_label="validation error"),
    ]  # fmt: skip
    return blocks + classification_blocks(run, best)
