"""What becomes of a network's accuracy when the images it is tested on are rotated?

Expect: it falls fast within the first 30 degrees and comes back at 360. A convolution knows a shape wherever it lies,
but not which way it is turned; neither does any other of these networks, all trained on upright images. Quarter turns
lose less than the angles beside them, because they neither blur pixels nor blacken corners.
Source: handbook, practical 2, part 2.
Command: `gradlab run rotation_robustness`
Cost: 14 min 52 s for 3 arms x 3 seeds, without the training of ResNet, which another experiment had made, bfloat16, 2
cores (results/core/rotation_robustness.json).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.errors import UsageError
from gradlab.evaluation import accuracy_over_rotation, examine, measure_classification, rotate
from gradlab.models import MLP, ResNet, VisionTransformer
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Bullets,
    Pictures,
    Table,
    Text,
    accuracies_sentence,
    line_chart,
    percent,
    reading,
)
from gradlab.stats import compare, format_interval, summarise
from gradlab.training import Recipe, Run, Selection, schedules

SHOWN = (0, 10, 30, 45, 90, 135, 180, 270)
"""Angles of the pictures and of the table, as far as they are measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "cifar10"
    """dataset, or folder:PATH"""
    networks: tuple[Literal["ResNet", "MLP", "ViT"], ...] = ("ResNet", "MLP", "ViT")
    """networks to compare"""
    epochs: int = 10
    """passes over the training split"""
    batch_size: int = 128
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    step: int = 10
    """degrees from one angle to the next, from 0 to 360"""
    rotated_images: int = 10000
    """at most so many images of the test split are rotated, the first ones"""
    patch_size: int = 8
    """side of a patch of the ViT, in pixels"""


QUICK = Config(data="digits", networks=("ResNet", "MLP"), epochs=3, batch_size=64, image_size=8, step=30, patch_size=4)


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of an arm, for images of [channels, side, side]: those of the handbook's practicals 1 to 3."""
    channels, height, width = shape
    if arm == "MLP":
        return MLP(channels * height * width, classes)
    if arm == "ResNet":
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


def recipe(config: Config, arm: str, samples: int) -> Recipe:
    """How a network learns: as the handbook's practicals teach it, at a rate that falls tenfold twice."""
    steps = samples // config.batch_size
    optimizers = {
        "MLP": partial(torch.optim.SGD, lr=0.01, momentum=0.9),
        "ResNet": partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=1e-4),
        "ViT": partial(torch.optim.AdamW, lr=3e-4, weight_decay=1e-3),
    }
    falls = (0.75, 0.9) if arm == "ViT" else (0.7, 0.9)
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=optimizers[arm],
        schedule=schedules.multi_step([round(share * config.epochs) * steps for share in falls]),
        drop_last=True,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains on upright images, flipped and cropped; measures the selected weights on the test split at every angle."""
    if not 1 <= config.step <= 180:
        raise UsageError(f"step must be 1 to 180 degrees: got {config.step}")
    splits = run.load(config.data, side=config.image_size)
    normalize = Normalize(*splits.normalisation)
    crop = RandomResizedCrop(splits.shape[-1], scale=(0.8, 1.0), ratio=(0.9, 1.1))
    angles = range(0, 361, config.step)
    turned = splits.test.take(range(min(config.rotated_images, len(splits.test))))
    run.keep_arrays("rotated", _shown(splits.test.pixels[:2]))
    for arm in config.networks:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            classification,
            recipe(config, arm, len(splits.train)),
            prepare=Pipeline([RandomHorizontalFlip(), crop, normalize]),
            measure={"validation": partial(measure_classification, images=splits.validation, prepare=normalize)},
        )
        with run.place.autocast():  # in float32 the sweep would take longer than the training
            tested = examine(trained.models, splits.test, normalize).rows
            swept = [*accuracy_over_rotation(trained.models, turned, normalize, angles)]
        measured = [{"arm": arm, **row} for row in swept]
        yield from [*({"arm": arm, **row} for row in tested), *measured]
        for seed, accuracy in _over(_curve(measured, arm), [angle for angle in angles if angle < 360]).items():
            yield {"arm": arm, "seed": seed, "split": "test", "rotated_accuracy": accuracy}


def page(run: RunFolder) -> list[Block]:
    """The curve over angles for every network, and what can be read off it."""
    rows, config = run.rows(), run.document("config")["config"]
    arms = list(run.document("results")["arms"])
    curves = {arm: _curve(rows, arm) for arm in arms}
    angles = [angle for angle in SHOWN if all(angle in curve for curve in curves.values())]
    turned = min(config["rotated_images"], run.document("environment")["data"]["sizes"]["test"])
    return [
        Answer(" ".join(_fall(arm, curve) for arm, curve in curves.items())
               or accuracies_sentence(run.document("results"))),
        line_chart(rows, x="angle", where={"split": "test"}, percent=True, title="Test accuracy over rotation",
                   x_label="rotation, degrees counter-clockwise",
                   caption=f"The first {turned:,} test images; bilinear, black corners."),
        _pictures(run.arrays("rotated")),
        Table(("network", *(f"{angle}°" for angle in angles)),
              tuple((arm, *(percent(_mean(curve[angle]), 1) for angle in angles)) for arm, curve in curves.items()),
              caption="Mean test accuracy over the seeds. The rotated accuracy below is the mean over all angles."),
        Text("An image is rotated before it is normalised, so the corners are black whatever the normalisation. "
             "Quarter turns move whole pixels: what is lost there is lost to the turn alone. Between them pixels are "
             "blurred and corners blackened as well.", heading="What the angles tell apart"),
        Bullets(tuple(sentence for arm, curve in curves.items() for sentence in _readings(arm, curve))),
        line_chart(rows, where={"split": ["train", "validation"]}, percent=True,
                   title="Accuracy on upright images over epochs"),
    ]  # fmt: skip


Curve = Mapping[int, Mapping[int, float]]
"""angle -> seed -> accuracy."""


def _curve(rows: list[Row], arm: str) -> Curve:
    curve: dict[Any, dict[Any, Any]] = {}
    for row in rows:
        if row["arm"] == arm and "angle" in row and row["accuracy"] is not None:
            curve.setdefault(row["angle"], {})[row["seed"]] = row["accuracy"]
    return curve


def _mean(by_seed: Mapping[int, float]) -> float:
    return sum(by_seed.values()) / len(by_seed)


def _told(by_seed: Mapping[int, float]) -> str:
    return format_interval(summarise(list(by_seed.values()), share=True), percent=True)


def _fall(arm: str, curve: Curve) -> str:
    worst = min(curve, key=lambda angle: _mean(curve[angle]))
    return f"{arm}: {_told(curve[0])} upright, at its lowest {_told(curve[worst])} at {worst} degrees."


def _readings(arm: str, curve: Curve) -> Iterator[str]:
    """How fast the accuracy falls, whether a full turn brings it back, and what blur and corners cost."""
    half = (max(map(_mean, curve.values())) + min(map(_mean, curve.values()))) / 2
    fallen = next((angle for angle in sorted(curve) if _mean(curve[angle]) < half), None)
    if fallen is not None:
        yield f"{arm}: by {fallen} degrees more than half of the fall to its lowest accuracy has happened."
    step = sorted(curve)[1]
    quarters = [angle for angle in (90, 180, 270) if {angle - step, angle, angle + step} <= curve.keys()]
    if quarters:
        at = _over(curve, quarters)
        beside = _over(curve, [angle + turn for angle in quarters for turn in (-step, step)])
        yield (f"{arm}: quarter turns differ from the angles {step} degrees beside them by "
               f"{reading(compare(at, beside, percent=True, share=True))}.")  # fmt: skip


def _over(curve: Curve, angles: Sequence[int]) -> dict[int, float]:
    """Seed -> mean accuracy over some angles."""
    return {seed: sum(curve[angle][seed] for angle in angles) / len(angles) for seed in curve[angles[0]]}


def _shown(pixels: Tensor) -> dict[str, np.ndarray]:
    turned = torch.cat([_bytes(rotate(pixels, angle)) for angle in SHOWN])
    return {"pixels": turned.numpy(), "angles": np.array(SHOWN).repeat(len(pixels))}


def _bytes(images: Tensor) -> Tensor:
    return images if images.dtype == torch.uint8 else (images * 255).round().to(torch.uint8)


def _pictures(arrays: Mapping[str, np.ndarray]) -> Pictures:
    order = np.argsort(np.arange(len(arrays["angles"])) % (len(arrays["angles"]) // len(SHOWN)), kind="stable")
    pixels = arrays["pixels"][order]
    images = pixels[:, 0] if pixels.shape[1] == 1 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
    captions = [f"{angle}°" for angle in arrays["angles"][order]]
    return Pictures(images, captions, "Two test images, turned", columns=len(SHOWN))
