"""How far does a small convolutional network get on handwritten digits, and how much of that is the recipe?

Expect: about 1 % test error with the slides' plain gradient descent, at most half of that with a modern recipe for the
same network: small random warps, AdamW and a one-cycle learning rate.
Source: the slides, "Exercise: CNN for MNIST" (LeNet with its three questions).
Command: `gradlab run lenet`; the slides' training error after 75 epochs: `gradlab run lenet --arms slides --epochs 75`
Cost: 8 min 38 s for 2 arms x 3 seeds, float32, 2 cores (results/lenet.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch

from gradlab.augment import Normalize, Pipeline, SmallAffine
from gradlab.evaluation import examine, measure_classification
from gradlab.explain import layer_table
from gradlab.models import LeNet
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Heading,
    Table,
    Text,
    classification_blocks,
    comparison_sentence,
    line_chart,
    with_error,
)
from gradlab.training import Recipe, Run, schedules

Arm = Literal["slides", "recommended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    arms: tuple[Literal["slides", "recommended"], ...] = ("slides", "recommended")
    """recipes to compare"""
    epochs: int = 10
    """passes over the training split"""
    image_size: int = 28
    """side to which other images are resized, in pixels"""
    batch_size: int = 50
    """images a step in the slides' recipe"""
    learning_rate: float = 0.01
    """of the slides' plain gradient descent"""
    recommended_batch_size: int = 64
    """images a step in the recommended recipe"""
    recommended_learning_rate: float = 0.003
    """highest learning rate of AdamW along the one cycle"""
    weight_decay: float = 0.02
    """of AdamW"""
    degrees: float = 10.0
    """largest random rotation, to either side"""
    translate: float = 2.0
    """largest random shift, in pixels"""
    scale: float = 0.1
    """largest random change of size, as a share"""


QUICK = Config(data="digits", epochs=7)


def network(_config: Config, _arm: str, shape: tuple[int, int, int], classes: int) -> LeNet:
    """The network of both arms, for images of [channels, side, side]."""
    return LeNet(image_size=shape[-1], in_channels=shape[0], num_classes=classes)


def recipe(config: Config, arm: Arm, samples: int) -> Recipe:
    """How an arm learns."""
    if arm == "slides":
        optimizer = partial(torch.optim.SGD, lr=config.learning_rate, fused=True)
        return Recipe(epochs=config.epochs, batch_size=config.batch_size, optimizer=optimizer)
    steps = config.epochs * -(-samples // config.recommended_batch_size)
    return Recipe(
        epochs=config.epochs,
        batch_size=config.recommended_batch_size,
        optimizer=partial(
            torch.optim.AdamW, lr=config.recommended_learning_rate, weight_decay=config.weight_decay, fused=True
        ),
        schedule=schedules.one_cycle(steps=max(steps, 2)),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains both recipes; measures validation each epoch, the test split once at the end."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    warp = SmallAffine(degrees=config.degrees, translate=config.translate, scale=config.scale)
    prepare = {"slides": normalize, "recommended": Pipeline([warp, normalize])}
    for arm in config.arms:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, arm, len(splits.train)),
            prepare=prepare[arm],
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        examination = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, examination.arrays)
        yield from ({"arm": arm, **row} for row in examination.rows)


def page(run: RunFolder) -> list[Block]:
    """The comparison of the recipes, the slides' three questions, and what the better recipe gets wrong."""
    rows, config, shape = with_error(run.rows()), run.document("config")["config"], run.document("environment")["data"]
    layers = layer_table(network(Config(), "slides", tuple(shape["shape"]), len(shape["classes"])), shape["shape"])
    blocks: list[Block] = [
        Answer(comparison_sentence(run.document("results"))),
        line_chart(rows, x="epoch", y="error", by="arm", where={"split": ["train", "validation"]}, percent=True,
                   log_y=True, title="Error over epochs", x_label="epoch", y_label="error",
                   caption="Training error is a running mean over the epoch, on warped images in the recommended "
                           "recipe; that is why it can lie above the validation error."),
        Heading("The slides' three questions"),
        Text("How many filters does each layer have, how many trainable parameters, and what are the sizes of each "
             "output? Read off the network that was trained:"),
        Table(("layer", "filters or units", "parameters", "output, one image"),
              tuple((layer.name, str(layer.filters or "-"), f"{layer.parameters:,}", layer.output) for layer in layers),
              caption=f"{sum(layer.parameters for layer in layers):,} trainable parameters in all."),
    ]  # fmt: skip
    return blocks + classification_blocks(run, config["arms"][-1])
