"""How far does a small residual network get on natural images in a short training, and how much of that is the recipe?

Expect: at least 76 % of the test images with the handbook's schedule; at least 82 % with the recommended one, the same
network under a one-cycle learning rate: a short training gains most from spending its steps at high rates and ending
near zero. With `--family`, the other networks of the course at about three times the size.
Source: handbook, practical 2, part 1; the family: University of Amsterdam deep-learning tutorial 5.
Command: `gradlab run resnet`; for the handbook's report: `gradlab run resnet --epochs 100 --family`; one training on a
GPU, not run: `gradlab run resnet --device cuda --precision bfloat16 --epochs 100 --recipes handbook --seeds 0`
Cost: 1 h 55 min for 2 arms x 3 seeds, bfloat16, 2 cores (results/resnet.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import nn

from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.evaluation import examine, measure_classification
from gradlab.models import DenseNet, GoogleNet, PostActivationResNet, ResNet
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Table,
    Text,
    accuracies_sentence,
    accuracy_of,
    best_validated,
    classification_blocks,
    differences,
    line_chart,
    percent,
    results_table,
)
from gradlab.training import Recipe, Run, Selection, schedules

BLOCKS, CHANNELS = (2, 2, 3), (16, 24, 32)
COURSE_BLOCKS, COURSE_CHANNELS = (3, 3, 3), (16, 32, 64)
FAMILY = ("Inception", "ResNet, post-activation", "ResNet, pre-activation", "DenseNet")
PUBLISHED = {
    "Inception": 0.8970,
    "ResNet, post-activation": 0.9106,
    "ResNet, pre-activation": 0.9107,
    "DenseNet": 0.9023,
}
"""Test accuracy that tutorial 5 prints for its networks after 180 epochs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "cifar10"
    """dataset, or folder:PATH"""
    recipes: tuple[Literal["handbook", "recommended"], ...] = ("handbook", "recommended")
    """ways to train the handbook's network"""
    family: bool = False
    """trains Inception, both kinds of ResNet and DenseNet of the course's sizes too"""
    epochs: int = 10
    """passes over the training split"""
    batch_size: int = 128
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    learning_rate: float = 0.1
    """of the handbook's stochastic gradient descent"""
    momentum: float = 0.9
    """of stochastic gradient descent, in both recipes"""
    weight_decay: float = 0.0001
    """in the handbook's recipe and the family"""
    family_learning_rate: float = 0.001
    """of AdamW for Inception and DenseNet"""
    recommended_learning_rate: float = 0.2
    """highest learning rate along the one cycle"""
    recommended_weight_decay: float = 0.0005
    """in the recommended recipe"""
    smallest_crop: float = 0.8
    """smallest share of the area that a random crop keeps"""


QUICK = Config(data="digits", epochs=3, batch_size=64, image_size=8)


def network(_config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of an arm, for images of [channels, height, width]."""
    if arm == "Inception":
        return GoogleNet(num_classes=classes, in_channels=shape[0])
    if arm == "DenseNet":
        return DenseNet(num_classes=classes, in_channels=shape[0])
    if arm == "ResNet, post-activation":
        return PostActivationResNet(classes, COURSE_BLOCKS, COURSE_CHANNELS, in_channels=shape[0])
    if arm == "ResNet, pre-activation":
        return ResNet(classes, COURSE_BLOCKS, COURSE_CHANNELS, in_channels=shape[0])
    return ResNet(classes, BLOCKS, CHANNELS, in_channels=shape[0])


def recipe(config: Config, arm: str, samples: int) -> Recipe:
    """How an arm learns: the rate falls tenfold after 70 % and 90 % of the epochs, or makes one cycle."""
    steps = samples // config.batch_size
    schedule = schedules.multi_step([round(share * config.epochs) * steps for share in (0.7, 0.9)])
    descent = partial(torch.optim.SGD, momentum=config.momentum)
    optimizer = partial(descent, lr=config.learning_rate, weight_decay=config.weight_decay)
    if arm in ("Inception", "DenseNet"):
        optimizer = partial(torch.optim.AdamW, lr=config.family_learning_rate, weight_decay=config.weight_decay)
    if arm == "recommended":
        schedule = schedules.one_cycle(steps=max(config.epochs * steps, 2))
        optimizer = partial(
            descent, lr=config.recommended_learning_rate, weight_decay=config.recommended_weight_decay, nesterov=True
        )
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=optimizer,
        schedule=schedule,
        drop_last=True,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every arm on flipped and cropped images; keeps the weights that validate best and tests those once."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    crop = RandomResizedCrop(splits.shape[-1], scale=(config.smallest_crop, 1.0), ratio=(0.9, 1.1))
    for arm in (*config.recipes, *(FAMILY if config.family else ())):
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, arm, len(splits.train)),
            prepare=Pipeline([RandomHorizontalFlip(), crop, normalize]),
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        validated = examine(trained.models, splits.validation, normalize, split="validation")
        tested = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, tested.arrays)
        yield from ({"arm": arm, **row} for row in validated.rows + tested.rows)


def page(run: RunFolder) -> list[Block]:
    """What each recipe and network reaches, learning curves, and what the best one gets wrong."""
    rows, results, config = run.rows(), run.document("results"), run.document("config")["config"]
    blocks: list[Block] = [
        Answer(f"{accuracies_sentence(results)} {_recipes_compared(results)}".strip()),
        line_chart(rows, where={"split": ["train", "validation"]}, percent=True, title="Accuracy over epochs",
                   caption="Training accuracy is a running mean over the epoch, on flipped and cropped images."),
        line_chart(rows, y="loss", where={"split": ["train", "validation"]}, title="Loss over epochs",
                   y_label="cross entropy, nats"),
        results_table(results, ["validation_accuracy", "test_accuracy"]),
        Text("Weights are those of the epoch that validates best, so the validation accuracy is a little too good; the "
             "test split was read once, for these weights.\n\n"
             "Why residual blocks train well at any depth: the derivative of x + F(x) is the identity plus that of F, "
             "so a gradient reaches every block undiminished, whatever F is."),
    ]  # fmt: skip
    if config["family"]:
        blocks.append(_beside_course(results, config["epochs"]))
    return blocks + classification_blocks(run, best_validated(run, list(results["arms"])))


def _recipes_compared(results: dict) -> str:
    return " ".join(found.verdict for found in differences(results, "handbook", ["recommended"]).values())


def _beside_course(results: dict, epochs: int) -> Table:
    header = ("network", "parameters", f"test, {epochs} epochs", "the course, 180 epochs")
    cells = tuple(
        (arm, f"{results['arms'][arm]['parameters']:,}", accuracy_of(results, arm), percent(PUBLISHED[arm], 1))
        for arm in FAMILY
    )
    return Table(header, cells, "The course's figures are for CIFAR-10 and one seed each.")
