"""Which network suits these images, at equal epochs and at equal time?

Expect: on small natural images the convolutional networks lead at equal epochs; at equal time the cheap ones come
nearer (in a short run, not level). On a few hundred pictures of your own, intervals are wide: look at them before you
believe a ranking.
Source: handbook, practicals 1 to 3, which compare their networks with each other.
Command: `gradlab run compare_models --data folder:my_pictures --models MLP ResNet ViT`
Cost: 12 min 27 s with `--models MLP ResNet --epochs 2` for 3 arms x 3 seeds, bfloat16, 1 core
(results/compare_models-2-epochs.json).
"""

import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.data import Splits
from gradlab.evaluation import examine, measure_classification
from gradlab.models import (
    MLP,
    Baseline,
    DenseNet,
    GoogleNet,
    LeNet,
    LogRegression,
    PostActivationResNet,
    ResidualCNN,
    ResNet,
    ResNet18,
    VisionTransformer,
)
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Details,
    Text,
    accuracies_sentence,
    best_validated,
    classification_blocks,
    differences,
    images_caution,
    line_chart,
    mean_of,
    none_beats_guessing,
    percent,
    results_table,
    ties_told,
    validated,
)
from gradlab.stats import verdicts_told
from gradlab.training import Recipe, Run, Selection, schedules, step_seconds

EQUAL_TIME = ", equal time"
RESIDUAL = ("ResNet", "PostActivationResNet", "ResidualCNN", "ResNet18")
LEAST_BATCH, LEAST_STEPS = 8, 16
"""Small folders are read in smaller batches, down to 8 images, so that an epoch has 16 steps."""
TELLING_EPOCHS = 10
"""From so many epochs on it says something that validation was best in their first half."""
FEW_STEPS, MANY_SEEDS = 500, 8
MOST_EPOCHS = 20  # times the epochs asked for: beyond that a cheap network only learns its training images by heart


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "cifar10"
    """dataset, or folder:PATH with a sub-folder for each class"""
    models: tuple[
        Literal[
            "MLP", "LeNet", "ResNet", "PostActivationResNet", "DenseNet", "Inception", "ViT", "LogRegression",
            "ResidualCNN", "ResNet18",
        ],
        ...,
    ] = ("MLP", "ResNet", "ViT")  # fmt: skip
    """networks to compare, the others with the first; all but LogRegression, MLP and ViT are convolutional"""
    equal_time: bool = True
    """trains the cheaper networks a second time, for as long as the dearest one takes"""
    epochs: int = 10
    """passes over the training split, for every network"""
    batch_size: int = 128
    """images a step, fewer where an epoch would have less than 16 steps"""
    image_size: int = 32
    """side to which every image is resized, in pixels"""
    flip: bool = True
    """mirrors training images at random; wrong for digits and letters"""
    smallest_crop: float = 0.8
    """smallest share of the area that a random crop keeps"""


QUICK = Config(data="digits", models=("MLP", "ResNet"), epochs=2, batch_size=64, image_size=8, flip=False)


def patch_size(side: int) -> int:
    """The patch that cuts an image into about 8 x 8 pieces: the smallest divisor of `side` from an eighth of it on."""
    return next(size for size in range(max(1, side // 8), side + 1) if side % size == 0)


def network(_config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of an arm, for images of [channels, side, side]."""
    channels, side, _width = shape
    patch = patch_size(side)
    makers = {
        "MLP": lambda: MLP(channels * side * side, classes, (512, 256), norm="batch"),
        "LeNet": lambda: LeNet(side, channels, classes),
        "ResNet": lambda: ResNet(classes, (2, 2, 3), (16, 24, 32), in_channels=channels),
        "PostActivationResNet": lambda: PostActivationResNet(classes, (2, 2, 3), (16, 24, 32), in_channels=channels),
        "DenseNet": lambda: DenseNet(num_classes=classes, in_channels=channels),
        "Inception": lambda: GoogleNet(num_classes=classes, in_channels=channels),
        "ViT": lambda: VisionTransformer(
            embed_dim=128, hidden_dim=256, num_channels=channels, num_heads=8, num_layers=4, num_classes=classes,
            patch_size=patch, num_patches=(side // patch) ** 2,
        ),
        "LogRegression": lambda: LogRegression(channels * side * side, classes),
        "ResidualCNN": lambda: ResidualCNN(side, channels, classes),
        "ResNet18": lambda: Baseline(ResNet18(channels), num_classes=classes),
    }  # fmt: skip
    return makers[arm.removesuffix(EQUAL_TIME)]()


def recipe(config: Config, arm: str, samples: int, epochs: int) -> Recipe:
    """One cycle for every network: momentum for the residual ones, AdamW for the others."""
    batch_size = min(config.batch_size, max(LEAST_BATCH, samples // LEAST_STEPS), samples)
    optimizer = partial(torch.optim.AdamW, lr=0.002, weight_decay=0.05)
    if arm.removesuffix(EQUAL_TIME) in RESIDUAL:
        optimizer = partial(torch.optim.SGD, lr=0.4 * batch_size / 128, momentum=0.9, weight_decay=5e-4, nesterov=True)
    return Recipe(
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        schedule=schedules.one_cycle(steps=max(2, epochs * (samples // batch_size))),
        drop_last=True,
        clip_norm=1.0,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every network at equal epochs, then the cheaper ones at equal time; tests the selected weights once."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    crop = RandomResizedCrop(config.image_size, scale=(config.smallest_crop, 1.0), ratio=(0.9, 1.1))
    prepare = Pipeline([*([RandomHorizontalFlip()] if config.flip else []), crop, normalize])
    epochs_of = run.remember("epochs", lambda: epochs_of_arms(config, run, splits, prepare))
    for arm, epochs in epochs_of.items():
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, arm, len(splits.train), epochs),
            prepare=prepare,
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        examination = examine(trained.models, splits.test, normalize)
        run.keep_arrays(arm, examination.arrays)
        yield from ({"arm": arm, **row} for row in examination.rows)


def epochs_of_arms(config: Config, run: Run, splits: Splits, prepare: Pipeline) -> dict[str, int]:
    """Arm -> epochs: those asked for, and for equal time as many as fit into the dearest network's."""
    arms: dict[str, int] = dict.fromkeys(config.models, config.epochs)
    if not config.equal_time or len(arms) < 2:
        return arms
    costs = {
        name: step_seconds(
            partial(network, config, name, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, name, len(splits.train), config.epochs),
            prepare=prepare,
            place=run.place,
        )
        for name in arms
    }
    fitting = {
        name: round(config.epochs * min(max(costs.values()) / cost, MOST_EPOCHS)) for name, cost in costs.items()
    }
    return arms | {name + EQUAL_TIME: epochs for name, epochs in fitting.items() if epochs > config.epochs}


def page(run: RunFolder) -> list[Block]:
    """The ranking with its intervals, learning curves, and what each network gets wrong."""
    rows, results, config = run.rows(), run.document("results"), run.document("config")["config"]
    arms = list(results["arms"])
    best = best_validated(run, arms)
    first = arms[0]
    compared = list(differences(results, first, arms[1:]).values())
    verdicts, caution = verdicts_told(compared), images_caution(results, compared)
    blocks: list[Block] = [
        Answer(" ".join(filter(None, (accuracies_sentence(results), verdicts, _at_equal_time(results), caution)))),
        Text(_advice(run, best, ties_told(run, arms)), heading="Which one to use"),
        results_table(results, ["test_accuracy", "test_loss"]),
        line_chart(rows, where={"split": "validation"}, percent=True, title="Validation accuracy over epochs"),
        line_chart(rows, where={"split": "train"}, percent=True, title="Training accuracy over epochs",
                   caption="A running mean over the epoch, on flipped and cropped images."),
    ]  # fmt: skip
    if config["equal_time"]:
        told = ", ".join(f"{arm.removesuffix(EQUAL_TIME)} {_epochs(rows, arm)}" for arm in arms if EQUAL_TIME in arm)
        dearest = f"Epochs at equal time: {told}; the others already take longest." if told else "All cost the same."
        measured = (
            "Costs were measured on a few steps before training: another run may find others, and make other epochs."
        )
        blocks.append(Text(f"{dearest} {measured}"))
    blocks += classification_blocks(run, best)
    rest = [block for arm in arms if arm != best for block in classification_blocks(run, arm)]
    return [*blocks, Details("What the other networks get wrong", rest)] if rest else blocks


def _at_equal_time(results: Mapping[str, Any]) -> str:
    """How the networks that take longest compare with the others once these have had as much time."""
    arms = list(results["arms"])
    longer = [arm for arm in arms if arm.endswith(EQUAL_TIME)]
    dearest = [arm for arm in arms if arm not in longer and arm + EQUAL_TIME not in longer]
    found = [made for arm in dearest for made in differences(results, arm, longer).values()]
    return f"At equal time: {verdicts_told(found)}" if found else ""


def _advice(run: RunFolder, best: str, tie: str) -> str:
    """What speaks for the network that validates best, how fine the test split measures, and what would show more."""
    settings, environment = run.document("config"), run.document("environment")
    tested, recipe = environment["data"]["sizes"]["test"], environment["arms"][best]["recipe"]
    steps = recipe["epochs"] * recipe["steps_per_epoch"]
    told = [
        *(["None yet: none is clearly better than guessing."] if none_beats_guessing(run.document("results")) else []),
        _choice(best, validated(run, best)),
        *([tie] if tie else []),
        *_disagreement(run.document("results"), best),
        f"The test split has {tested:,} images: one of them is {100 / tested:.2g} points.",
        f"{best} made {steps:,} steps of {recipe['batch_size']} images.",
    ]
    latest = max((epoch or 0 for epoch in environment["arms"][best].get("best_epochs", {}).values()), default=0)
    if recipe["epochs"] >= TELLING_EPOCHS and 0 < latest <= recipe["epochs"] / 2:
        told.append(
            f"It validated best by epoch {latest} of {recipe['epochs']}: more pictures may help, more epochs hardly."
        )
    elif steps < FEW_STEPS:
        told.append("That is few, and the order may change with more: raise --epochs.")
    if len(settings["seeds"]) < MANY_SEEDS:
        missing = [seed for seed in range(2 * MANY_SEEDS) if seed not in settings["seeds"]]
        seeds = " ".join(map(str, missing[: MANY_SEEDS - len(settings["seeds"])]))
        command = f"gradlab resume {shlex.quote(str(run.path))} --add-seeds {seeds}"
        told.append(f"More seeds can tell whether the networks differ by more than chance: {command}.")
    return " ".join(told)


def _disagreement(results: Mapping[str, Any], best: str) -> list[str]:
    """A warning where another network than the one that validates best comes first on the test images."""
    means = {arm: mean for arm in results["arms"] if (mean := mean_of(results, arm)) is not None}
    first = max(means, key=lambda arm: means[arm], default=best)
    if best not in means or means[first] == means[best]:
        return []
    return [f"On the test images {first} comes first: the two splits disagree, so do not rely on the order."]


def _choice(best: str, reached: float) -> str:
    if not math.isfinite(reached):
        return "No network was ever validated, since every seed diverged: there is nothing to choose by."
    return (
        f"{best} validates best, at {percent(reached, 1)}, each seed at its best epoch. Validation images choose, so "
        "that what is said of the test images stays fair."
    )


def _epochs(rows: list[Row], arm: str) -> int:
    return max(int(row["epoch"] or 0) for row in rows if row["arm"] == arm and "epoch" in row)
