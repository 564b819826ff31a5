"""How far does equivariance take a small network on rotated digits, where there is little to learn from?

Expect: the plain network has to see every digit at every angle and errs over twice as often as the same network over
quarter turns, with as many weights; a network over turns of 45 degrees, again with as many, errs less than that.
Turning the training images at random teaches what a group does not know: the angles between its own; with that, over
sixteen angles and with convolutions in two steps, about 1.1 % of the test images are left wrong. Shifting and
rescaling them as well does harm: these digits are centred and of one size, and what never varies need not be learned.
12,000 images for training, of which some are held out to choose by, and 50,000 for testing, every image turned by an
angle of its own, drawn once for all seeds. Training images are from MNIST's training file; test images are its test
file, then what the training file has left.
Differs from the published files: they hold other images of MNIST, turned by other angles with another interpolation,
so that an error measured here stands beside theirs but is not the same measurement.
Source: Larochelle et al. 2007, "An empirical evaluation of deep architectures on problems with many factors of
variation"; Cohen and Welling 2016, "Group equivariant convolutional networks", section 8.1.
Command: `gradlab run rotated_mnist --precision bfloat16`; for the 1.1 %: `gradlab run rotated_mnist --arms
SeparableC16-augmented --epochs 30 --dropout 0.2 --validation-images 500 --keep last`
Cost: 33 min 11 s with `--arms Z2CNN P4CNN --epochs 25` for 2 arms x 3 seeds, bfloat16, 1 core
(results/rotated_mnist.json).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from gradlab import rng
from gradlab.augment import Normalize, Pipeline, SmallAffine
from gradlab.data import Images, Splits
from gradlab.equivariance import CyclicGroup, DihedralGroup, GroupBase, cyclic
from gradlab.errors import UsageError
from gradlab.evaluation import examine, measure_classification, turned
from gradlab.models import P4CNN, ResidualGroupCNN, StridedGroupCNN
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Bullets,
    Pictures,
    beside_published,
    best_validated,
    classification_blocks,
    differences,
    line_chart,
    with_error,
)
from gradlab.training import Recipe, Run, Selection, schedules

GROUPS = {"ResidualC4": partial(CyclicGroup, 4), "ResidualD4": partial(DihedralGroup, 4),
          "ResidualC8": partial(CyclicGroup, 8), "ResidualC16": partial(CyclicGroup, 16)}  # fmt: skip
STRIDED = {"StridedC8": partial(CyclicGroup, 8), "WideC8": partial(CyclicGroup, 8),
           "SeparableC16": partial(CyclicGroup, 16)}  # fmt: skip
AUGMENTED = "-augmented"
PUBLISHED = {"Z2CNN": 0.0503, "P4CNN": 0.0228}
"""Test error on the published files: Cohen and Welling 2016, table 1."""
LEAST = (
    "The least published error is 0.68 % (Weiler and Cesa 2019), of a larger network on the published files, which "
    "hold other images turned by other angles."
)
WHOLE = {"train_images": 12_000, "test_images": 50_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    arms: tuple[
        Literal[
            "Z2CNN",
            "P4CNN",
            "ResidualC4",
            "ResidualD4",
            "ResidualC8",
            "ResidualC16",
            "StridedC8",
            "WideC8",
            "SeparableC16",
            "Z2CNN-augmented",
            "P4CNN-augmented",
            "ResidualC4-augmented",
            "ResidualD4-augmented",
            "ResidualC8-augmented",
            "ResidualC16-augmented",
            "StridedC8-augmented",
            "WideC8-augmented",
            "SeparableC16-augmented",
        ],
        ...,
    ] = ("Z2CNN", "P4CNN", "StridedC8", "SeparableC16-augmented")
    """networks; where augmented, trained on images that are turned at random once more (or shifted, rescaled)"""
    train_images: int = 12000
    """images for training and validation; fewer than 12,000 make a subset"""
    validation_images: int = 2000
    """of them held out to choose by"""
    keep: Literal["best", "last"] = "best"
    """weights of the epoch that validates best, or of the last one, for which few validation images do"""
    test_images: int = 50000
    """images for testing; fewer than 50,000 make a subset"""
    image_size: int = 28
    """side to which other images are resized, in pixels"""
    epochs: int = 40
    """passes over the training images"""
    batch_size: int = 64
    """images a step"""
    learning_rate: float = 0.01
    """highest learning rate of AdamW along the one cycle"""
    weight_decay: float = 0.05
    """of AdamW"""
    dropout: float = 0.1
    """share of what is zeroed in training"""
    translate: float = 0.0
    """largest random shift of augmented images, in pixels"""
    scale: float = 0.0
    """largest random change of size of augmented images, as a share"""
    channels: int = 10
    """channels of P4CNN; Z2CNN has twice as many, and about as many weights"""
    depths: tuple[int, int] = (2, 4)
    """convolutions of Z2CNN and P4CNN before and after the pooling"""
    residual_channels: tuple[int, ...] = (6, 16, 24)
    """channels of each stage over C4; over larger groups fewer, so that the weights stay about as many"""
    strided_channels: tuple[int, ...] = (6, 6, 8, 8)
    """channels of StridedC8's convolutions, which has about as many weights as P4CNN"""
    wide_channels: tuple[int, ...] = (16, 16, 24, 24)
    """channels of WideC8's convolutions, which is StridedC8 with more of them"""
    separable_channels: tuple[int, ...] = (10, 10, 16, 16)
    """channels of SeparableC16's convolutions, in two steps each: twice WideC8's angles with a third of its weights"""
    strides: tuple[int, ...] = (2, 1, 2, 1)
    """step of each of their convolutions"""


QUICK = Config(data="digits", arms=("Z2CNN", "P4CNN", "ResidualC4-augmented"), train_images=1200,
               validation_images=200, test_images=300, image_size=8, epochs=6, batch_size=32, depths=(1, 0),
               residual_channels=(6, 8), translate=0.5)  # fmt: skip


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of an arm, for images of [channels, side, side]."""
    name = arm.removesuffix(AUGMENTED)
    if name in GROUPS:
        group = GROUPS[name]()
        order = group.table.order
        channels = [max(1, round(number * math.sqrt(4 / order))) for number in config.residual_channels]
        off_grid = name in ("ResidualC8", "ResidualC16")
        return ResidualGroupCNN(group, classes, [1] * len(channels), channels, shape[0],
                                kernel_size=5 if off_grid else 3, dropout=config.dropout)  # fmt: skip
    if name in STRIDED:
        channels = {"StridedC8": config.strided_channels, "WideC8": config.wide_channels,
                    "SeparableC16": config.separable_channels}[name]  # fmt: skip
        return StridedGroupCNN(STRIDED[name](), shape[-1], shape[0], classes, channels, config.strides,
                               dropout=config.dropout, separable=name == "SeparableC16")  # fmt: skip
    # Over the group of one element a group convolution is a plain one.
    group, factor = (CyclicGroup(4), 1) if name == "P4CNN" else (GroupBase(1, [0.0], cyclic(1)), 2)
    return P4CNN(group, shape[-1], shape[0], classes, factor * config.channels, depths=config.depths,
                 dropout=config.dropout)  # fmt: skip


def recipe(config: Config, samples: int) -> Recipe:
    """How every arm learns."""
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.AdamW, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True),
        schedule=schedules.one_cycle(steps=max(2, config.epochs * (samples // config.batch_size))),
        drop_last=True,
        select=Selection() if config.keep == "best" else None,
    )


def parts_of(config: Config, splits: Splits) -> tuple[Images, Images, Images]:
    """The images for training, validation and testing, disjoint, each turned.

    Raises:
        UsageError: there are not as many images as asked for.
    """
    held_out, wanted = config.validation_images, config.train_images
    rest = splits.train.take(range(min(wanted, len(splits.train)), len(splits.train)))
    others = [splits.test, splits.validation, rest]
    test = Images(torch.cat([part.pixels for part in others]), torch.cat([part.labels for part in others]),
                  splits.classes)  # fmt: skip
    if not 0 < held_out < wanted <= len(splits.train) or not 0 < config.test_images <= len(test):
        raise UsageError(
            f"{splits.name} has {len(splits.train):,} images for training and validation, and leaves {len(test):,} for "
            f"testing: got train_images {wanted:,}, of them validation_images {held_out:,}, and test_images "
            f"{config.test_images:,}"
        )
    train, validation = splits.train.take(range(wanted - held_out)), splits.train.take(range(wanted - held_out, wanted))
    return (
        turned(train, rng.generator(0, "angles train")),
        turned(validation, rng.generator(0, "angles validation")),
        turned(test.take(range(config.test_images)), rng.generator(0, "angles test")),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every network on turned images, selects on the validation part, and reads the test part once."""
    splits = run.load(config.data, side=config.image_size)
    # A dry run's test split is cut to a few images.
    wanted = replace(config, test_images=len(splits.test)) if run.place.dry else config
    train, validation, test = parts_of(wanted, splits)
    run.facts["data"]["sizes"] = {"train": len(train), "validation": len(validation), "test": config.test_images}
    run.keep_arrays("turned", {"pixels": train.pixels[:16].numpy(), "labels": train.labels[:16].numpy()})
    normalize = Normalize(*splits.normalisation)
    warp = SmallAffine(degrees=180, translate=config.translate, scale=config.scale)
    for arm in config.arms:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (train.pixels, train.labels),
            classification,
            recipe(config, len(train)),
            prepare=Pipeline([warp, normalize]) if arm.endswith(AUGMENTED) else normalize,
            measure={
                "validation": run.place.in_precision(
                    partial(measure_classification, images=validation, prepare=normalize)
                )
            },
        )
        with run.place.autocast():
            found = examine(trained.models, test, normalize)
        run.keep_arrays(arm, found.arrays)
        yield from ({"arm": arm, **row} for row in found.rows)


def page(run: RunFolder) -> list[Block]:
    """The errors beside the published ones, learning curves, and what the best network gets wrong."""
    rows, results, config = run.rows(), run.document("results"), run.document("config")["config"]
    arms = list(results["arms"])
    best = best_validated(run, arms)
    published = PUBLISHED if config["data"] == "mnist" else {}
    lead, chart, table = beside_published(results, published, best, source="Cohen and Welling 2016")
    verdicts = tuple(found.verdict for found in differences(results, arms[0], arms[1:]).values())
    return [
        Answer(" ".join(filter(None, (lead, _subset(config))))),
        table,
        chart,
        Bullets(((LEAST,) if published else ()) + verdicts),
        _pictures(run),
        line_chart(with_error(rows), y="error", where={"split": "validation"}, percent=True, log_y=True,
                   title="Validation error over epochs", y_label="error"),
        line_chart(with_error(rows), y="error", where={"split": "train"}, percent=True, log_y=True,
                   title="Training error over epochs", y_label="error",
                   caption="A running mean over the epoch, on warped images where a network is augmented."),
        *classification_blocks(run, best),
    ]  # fmt: skip


def _subset(config: dict[str, Any]) -> str:
    """What is left out, where something is; of another dataset nothing is known."""
    few = [f"{config[name]:,} of {whole:,} {name.removesuffix('_images')} images" for name, whole in WHOLE.items()
           if config[name] < whole and config["data"] == "mnist"]  # fmt: skip
    return f"This is a subset: {' and '.join(few)}." if few else ""


def _pictures(run: RunFolder) -> Pictures:
    kept, classes = run.arrays("turned"), run.document("environment")["data"]["classes"]
    pixels = kept["pixels"]
    images = pixels[:, 0] if pixels.shape[1] == 1 else pixels.transpose(0, 2, 3, 1).copy()
    captions = [classes[label] for label in kept["labels"].tolist()]
    return Pictures(images, captions, "The first training images, as they are turned", columns=8)
