"""Which networks know that neighbouring pixels belong together?

Expect: one fixed order of the pixels changes nothing for the MLP, whose first layer gives each pixel weights of its own
and never knew where it lay; it costs the ResNet its lead, since small filters that slide over the image are the wrong
idea for shuffled pixels; the ViT lies between. With a new order for each batch or image only what no order can hide is
left, the colours: the MLP keeps some 28 %, the ResNet some 40 %.
Source: handbook, practical 1, part 3 and practical 2, part 3.
Command: `gradlab run pixel_shuffle`; with the transformer: `gradlab run pixel_shuffle --networks MLP ResNet ViT`
Cost: 49 min 15 s with `--mlp-epochs 25` for 8 arms x 3 seeds, bfloat16, 2 cores (results/core/pixel_shuffle.json).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gradlab.augment import BatchShuffle, FixedShuffle, ImageShuffle, Normalize, Pipeline, Transform
from gradlab.errors import UsageError
from gradlab.evaluation import examine, measure_classification
from gradlab.models import MLP, ResNet, VisionTransformer
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Bullets,
    Pictures,
    Text,
    accuracies_sentence,
    accuracy_of,
    change_compared,
    changes_table,
    differences,
    gain_text,
    line_chart,
    percent,
    point_chart,
    reading,
)
from gradlab.training import Recipe, Run, Selection, schedules

MODES = {"none": "no shuffle", "fixed": "fixed shuffle", "batch": "shuffle per batch", "image": "shuffle per image"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "cifar10"
    """dataset, or folder:PATH"""
    networks: tuple[Literal["MLP", "ResNet", "ViT"], ...] = ("MLP", "ResNet")
    """networks to compare"""
    modes: tuple[Literal["none", "fixed", "batch", "image"], ...] = ("none", "fixed", "batch", "image")
    """when pixels get a new order: never, once for all, for each batch, for each image"""
    epochs: int = 10
    """passes over the training split"""
    mlp_epochs: int | None = None
    """passes of the MLP, which are cheap [as many as the others make]"""
    batch_size: int = 128
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    order: int = 0
    """which of the fixed orders; the same for every seed and split"""
    patch_size: int = 8
    """side of a patch of the ViT, in pixels"""


QUICK = Config(data="digits", modes=("none", "fixed", "image"), epochs=3, batch_size=64, image_size=8, patch_size=4)


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of an arm, for images of [channels, side, side]: those of the handbook's practicals 1 to 3."""
    channels, height, width = shape
    kind = _kind(arm)
    if kind == "MLP":
        return MLP(channels * height * width, classes)
    if kind == "ResNet":
        return ResNet(classes, (2, 2, 3), (16, 24, 32), in_channels=channels)
    if height % config.patch_size or width % config.patch_size:
        raise UsageError(f"patch_size must divide the sides of the images, {height}x{width}: got {config.patch_size}")
    return VisionTransformer(
        embed_dim=128,
        hidden_dim=256,
        num_channels=channels,
        num_heads=8,
        num_layers=6,
        num_classes=classes,
        patch_size=config.patch_size,
        num_patches=height * width // config.patch_size**2,
    )


def recipe(config: Config, kind: str, samples: int) -> Recipe:
    """How a network learns: the optimisers of the handbook's practicals, the rate tenfold lower at 70 % and 90 %."""
    steps = samples // config.batch_size
    epochs = (config.mlp_epochs or config.epochs) if kind == "MLP" else config.epochs
    optimizers = {
        "MLP": partial(torch.optim.SGD, lr=0.01, momentum=0.9),
        "ResNet": partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=1e-4),
        "ViT": partial(torch.optim.AdamW, lr=3e-4, weight_decay=1e-3),
    }
    return Recipe(
        epochs=epochs,
        batch_size=config.batch_size,
        optimizer=optimizers[kind],
        schedule=schedules.multi_step([round(share * epochs) * steps for share in (0.7, 0.9)]),
        drop_last=True,
        select=Selection(),
    )


def shuffles(config: Config, side: int) -> dict[str, list[Transform]]:
    """What each mode does to the pixels, in training and evaluation alike."""
    return {
        "none": [],
        "fixed": [FixedShuffle(side, config.order)],
        "batch": [BatchShuffle()],
        "image": [ImageShuffle()],
    }


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every network in every mode, without other augmentation; tests the weights that validate best."""
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    modes = shuffles(config, splits.shape[-1])
    run.keep_arrays("shuffled", _shown(modes, splits.test.pixels[:4], config))
    for kind in config.networks:
        for mode in config.modes:
            arm, prepare = f"{kind}, {MODES[mode]}", Pipeline([*modes[mode], normalize])
            trained = yield from run.fit(
                arm,
                lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
                (splits.train.pixels, splits.train.labels),
                classification,
                recipe(config, kind, len(splits.train)),
                prepare=prepare,
                measure={"validation": partial(measure_classification, images=splits.validation, prepare=prepare)},
            )
            examination = examine(trained.models, splits.test, prepare)
            run.keep_arrays(arm, examination.arrays)
            yield from ({"arm": arm, **row} for row in examination.rows)


def page(run: RunFolder) -> list[Block]:
    """What each shuffle costs each network, and what that says about the network."""
    rows, results = run.rows(), run.document("results")
    networks = {kind: [arm for arm in results["arms"] if _kind(arm) == kind] for kind in map(_kind, results["arms"])}
    families = {arms[0]: arms[1:] for arms in networks.values()}
    blocks: list[Block] = [
        Answer(_answer(results, families)),
        _pictures(run.arrays("shuffled")),
        point_chart(results, "test_accuracy", title="Accuracy on the test split"),
        changes_table(results, families, caption="Test split, shuffled like the training images."),
        Text("Evaluation orders for each batch and image are the same in every epoch and for every network. What an "
             "unknown order leaves is how often each colour occurs in an image; what it takes away is all that two "
             "pixels say together about a shape.", heading="What the new orders leave"),
        Bullets(tuple(_above_chance(results, len(run.document("environment")["data"]["classes"])))),
    ]  # fmt: skip
    return blocks + [
        line_chart([row for row in rows if row["arm"] in arms], where={"split": "validation"}, percent=True,
                   title=f"{kind}: accuracy over epochs")
        for kind, arms in networks.items()
    ]  # fmt: skip


def _shown(modes: Mapping[str, list[Transform]], pixels: Tensor, config: Config) -> dict[str, np.ndarray]:
    draws = torch.rand(len(pixels), 2, generator=torch.Generator().manual_seed(config.order))
    return {mode: Pipeline(modes[mode])(pixels, draws).numpy() for mode in config.modes}


def _pictures(arrays: Mapping[str, np.ndarray]) -> Pictures:
    """The first test images in every mode, a row a mode."""
    modes = [mode for mode in MODES if mode in arrays]
    pixels = np.concatenate([arrays[mode] for mode in modes])
    images = pixels[:, 0] if pixels.shape[1] == 1 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
    captions = [MODES[mode] for mode in modes for _ in arrays[mode]]
    return Pictures(
        images, captions, "The first test images as the networks see them", columns=len(images) // len(modes)
    )


def _answer(results: Mapping[str, Any], families: Mapping[str, list[str]]) -> str:
    told = []
    for kind in map(_kind, families):
        shuffled, plain = f"{kind}, {MODES['fixed']}", f"{kind}, {MODES['none']}"
        for found in differences(results, plain, [shuffled]).values():
            told += [f"One fixed order of the pixels changes the accuracy of the {kind} by {reading(found)}."]
        more = change_compared(results, (shuffled, plain), (f"MLP, {MODES['fixed']}", f"MLP, {MODES['none']}"))
        if more is not None and kind != "MLP":
            told.append(f"That is {gain_text(more)} beyond its change for the MLP.")
    return " ".join(told) or accuracies_sentence(results)


def _above_chance(results: Mapping[str, Any], classes: int) -> Iterator[str]:
    """For every arm with new orders, whether its interval lies above guessing."""
    for arm, found in results["arms"].items():
        interval = found["metrics"].get("test_accuracy", {}).get("ci95")
        if arm.endswith((MODES["batch"], MODES["image"])) and interval:
            where = "above" if interval[0] > 1 / classes else "not clearly above"
            yield f"{arm}: {accuracy_of(results, arm)}, {where} the {percent(1 / classes)} of guessing."


def _kind(arm: str) -> str:
    return arm.partition(",")[0]
