"""Which of the usual ideas make a plain network recognise natural images better, and how far do they get together?

Expect: random flips and crops help most, then more units; dropout, weight decay and BatchNorm a little; depth hardly,
LayerNorm not; together, with GELU, label smoothing and a modern optimiser, about 64 % of the test images, against 52 to
53 % for the handbook's network.
One arm an idea: each changes one thing of the baseline. The settings of every arm were chosen on validation images.
Source: handbook, practical 1, part 2.
Command: `gradlab run mlp_improvements`
Cost: 30 min 17 s for 9 arms x 3 seeds, bfloat16, 1 core (results/mlp_improvements.json).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.evaluation import examine, measure_classification
from gradlab.models import MLP
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Bullets,
    Text,
    accuracies_sentence,
    accuracy_of,
    changes_table,
    classification_blocks,
    differences,
    line_chart,
    point_chart,
    reading,
)
from gradlab.training import Recipe, Run, Selection, schedules

BASELINE, BEST = "baseline", "best combination"
ARMS = {
    "augmentation": "augmentation",
    "dropout": "dropout",
    "weight_decay": "weight decay",
    "wider": "wider",
    "deeper": "deeper",
    "batch_norm": "BatchNorm",
    "layer_norm": "LayerNorm",
    "best": BEST,
}
LEAST_STEPS = 16
"""Of an epoch, for the best combination to take its large batches."""
QUESTIONS = {
    "augmentation": "Do random flips and crops help?",
    "dropout": "Does dropout help?",
    "weight decay": "Does weight decay help?",
    "wider": "Does a wider network perform better?",
    "deeper": "Does a deeper network perform better?",
    "BatchNorm": "Does BatchNorm help?",
    "LayerNorm": "Does LayerNorm help?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "cifar10"
    """dataset, or folder:PATH"""
    ideas: tuple[
        Literal["augmentation", "dropout", "weight_decay", "wider", "deeper", "batch_norm", "layer_norm", "best"], ...
    ] = ("augmentation", "dropout", "weight_decay", "wider", "deeper", "batch_norm", "layer_norm", "best")
    """what is tried beside the baseline"""
    epochs: int = 25
    """passes over the training split, for every arm"""
    batch_size: int = 128
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    hidden: tuple[int, ...] = (256, 128)
    """units of each hidden layer"""
    wide: tuple[int, ...] = (1024, 512)
    """units of each hidden layer of the wider network"""
    deep: tuple[int, ...] = (256, 256, 256, 128)
    """units of each hidden layer of the deeper network"""
    best: tuple[int, ...] = (2048, 1024)
    """units of each hidden layer of the best combination"""
    learning_rate: float = 0.01
    """of stochastic gradient descent with momentum, in torch's meaning"""
    momentum: float = 0.9
    """of stochastic gradient descent"""
    dropout: float = 0.2
    """share of the hidden units that are dropped"""
    weight_decay: float = 0.003
    """of stochastic gradient descent"""
    smallest_crop: float = 0.6
    """smallest share of the area that a random crop keeps"""
    best_learning_rate: float = 0.004
    """highest learning rate of AdamW along the one cycle, in the best combination"""
    best_weight_decay: float = 0.1
    """of AdamW, in the best combination"""
    best_batch_size: int = 512
    """images a step in the best combination, fewer where an epoch would have less than 16 such steps"""
    best_label_smoothing: float = 0.1
    """share of each target that is spread over all classes, in the best combination"""
    best_dropout: float = 0.1
    """share of the hidden units that are dropped, in the best combination"""


QUICK = Config(data="digits", ideas=("augmentation", "batch_norm", "best"), epochs=5, image_size=8, best=(256, 128),
               best_batch_size=128)  # fmt: skip


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> MLP:
    """The network of an arm, for images of [channels, height, width]."""
    channels, height, width = shape
    make = partial(MLP, channels * height * width, classes)
    special = {
        "wider": lambda: make(config.wide),
        "deeper": lambda: make(config.deep),
        "dropout": lambda: make(config.hidden, dropout=config.dropout),
        "BatchNorm": lambda: make(config.hidden, norm="batch"),
        "LayerNorm": lambda: make(config.hidden, norm="layer"),
        BEST: lambda: make(config.best, norm="batch", dropout=config.best_dropout, activation=nn.GELU),
    }
    return special.get(arm, lambda: make(config.hidden))()


def recipe(config: Config, arm: str, samples: int) -> Recipe:
    """How an arm learns: the handbook's descent, but for the best combination."""
    schedule = schedules.constant()
    batch_size = config.batch_size
    decay = config.weight_decay if arm == "weight decay" else 0.0
    optimizer = partial(
        torch.optim.SGD, lr=config.learning_rate, momentum=config.momentum, weight_decay=decay, fused=True
    )
    if arm == BEST:
        batch_size = min(config.best_batch_size, max(config.batch_size, samples // LEAST_STEPS))
        schedule = schedules.one_cycle(steps=max(2, config.epochs * (samples // batch_size)))
        optimizer = partial(
            torch.optim.AdamW, lr=config.best_learning_rate, weight_decay=config.best_weight_decay, fused=True
        )
    return Recipe(
        epochs=config.epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        schedule=schedule,
        drop_last=True,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains the baseline and every idea; keeps the weights that validate best and tests those once."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    crop = RandomResizedCrop(splits.shape[-1], scale=(config.smallest_crop, 1.0), ratio=(0.9, 1.1))
    augmented = Pipeline([RandomHorizontalFlip(), crop, normalize])
    for arm in (BASELINE, *(ARMS[idea] for idea in config.ideas)):
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            partial(classification, label_smoothing=config.best_label_smoothing) if arm == BEST else classification,
            recipe(config, arm, len(splits.train)),
            prepare=augmented if arm in ("augmentation", BEST) else normalize,
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        validated = examine(trained.models, splits.validation, normalize, split="validation")
        tested = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, tested.arrays)
        yield from ({"arm": arm, **row} for row in validated.rows + tested.rows)


def page(run: RunFolder) -> list[Block]:
    """What each idea changes, the handbook's questions one by one, and what the best combination gets wrong."""
    rows, results = run.rows(), run.document("results")
    ideas = [arm for arm in results["arms"] if arm != BASELINE]
    shown = BEST if BEST in ideas else BASELINE
    blocks: list[Block] = [
        Answer(_answer(results)),
        changes_table(results, {BASELINE: ideas}),
        point_chart(results, "test_accuracy", title="Accuracy on the test split"),
        Text("Every idea changes one thing of the baseline; the best combination changes many, so its gain is no sum.",
             heading="The handbook's questions"),
        Bullets(tuple(_answers(results, ideas))),
        line_chart(rows, where={"split": "validation"}, percent=True, title="Validation accuracy over epochs"),
        line_chart([row for row in rows if row["arm"] in (BASELINE, shown)], where={"split": ["train", "validation"]},
                   percent=True, title="Learned by heart or understood",
                   caption="Where the training accuracy runs away from the validation accuracy, images are learned by "
                           "heart. Training accuracy is a running mean, with dropout and on augmented images where the "
                           "arm has them."),
    ]  # fmt: skip
    return blocks + classification_blocks(run, shown)


def _answer(results: Mapping[str, Any]) -> str:
    together = differences(results, BASELINE, [BEST]).get(BEST)
    if together is None:
        return accuracies_sentence(results)
    return (
        f"Together they reach {accuracy_of(results, BEST)} of the test images, the handbook's network "
        f"{accuracy_of(results, BASELINE)}: {reading(together)}."
    )


def _answers(results: Mapping[str, Any], ideas: list[str]) -> Iterator[str]:
    for arm, found in differences(results, BASELINE, ideas).items():
        if arm in QUESTIONS:
            yield f"{QUESTIONS[arm]} It changes the test accuracy by {reading(found)}."
    for found in differences(results, "deeper", ["wider"]).values():
        yield f"Deep or wide? The wider network differs from the deeper one by {reading(found)}."
