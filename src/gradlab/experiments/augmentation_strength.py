"""Which augmentations does contrastive learning need?

Expect: the paper finds that crops with changed colours carry most of it and that neither alone comes near to both,
since the colours of two crops give away that they come from one image. After two epochs crops alone come near already
(48 % by a linear probe, 51 % with colours) and colours alone do not (37 %). Without a part that matters the other view
is found more often, and the features are worth less: the task has become easier for the wrong reason.
Source: handbook, practical 5, "Data augmentation for contrastive learning"; Chen et al. 2020, "A simple framework for
contrastive learning of visual representations", section 3 and figure 5.
Command: `gradlab run augmentation_strength --precision bfloat16`
Cost: 32 min 36 s with `--epochs 2 --warm-up 0.5` for 9 arms x 3 seeds, bfloat16, 1 core
(results/augmentation_strength-2-epochs.json).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch

from gradlab.augment import ContrastiveTransformations, Normalize, simclr_augmentation
from gradlab.augment.handbook import CENTRE, PARTS
from gradlab.data import first_present
from gradlab.evaluation import label_counts, measure_contrastive, probe_encoders
from gradlab.models import BaseNetwork, SimCLR
from gradlab.objectives import info_nce
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Table,
    Text,
    cell,
    differences,
    gain_text,
    line_chart,
    point_chart,
    reading,
    value_of,
)
from gradlab.training import Recipe, Run, Selection, schedules

ALL = "all"
LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    ALL: (),
    **{f"without {part}": (part,) for part in PARTS},
    **{
        name: tuple(part for part in PARTS if part not in kept)
        for name, kept in {
            "crop only": ("crop",),
            "colour only": ("colour",),
            "crop and colour": ("crop", "colour"),
        }.items()
    },
}
"""Arm -> the parts of the augmentation that it goes without."""
METRIC = "test_probe_accuracy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "auto"
    """dataset, or folder:PATH; auto takes stl10 where its files are, else cifar10"""
    arms: tuple[
        Literal[
            "all", "without flip", "without crop", "without colour", "without grey", "without blur", "crop only",
            "colour only", "crop and colour",
        ], ...
    ] = ("all", "without flip", "without crop", "without colour", "without grey", "without blur", "crop only",
         "colour only", "crop and colour")  # fmt: skip
    """all parts, all but one, and the two that matter"""
    epochs: int = 10
    """passes over the images without labels"""
    batch_size: int = 256
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    channels: int = 32
    """of the encoder's first convolutions"""
    feature_dim: int = 512
    """numbers of a feature"""
    hidden_dim: int = 128
    """numbers of a projection"""
    temperature: float = 0.07
    """what cosines are divided by"""
    learning_rate: float = 0.003
    """highest one of AdamW; falls to a fiftieth along half a cosine; the handbook's is 0.0005"""
    warm_up: float = 2.0
    """epochs in which the rate rises to it; the handbook's have no such rise"""
    weight_decay: float = 0.0001
    """of AdamW"""
    second_decay: float = 0.99
    """of AdamW's average of squared gradients; the handbook's is 0.999"""
    labels: int | None = None
    """labels of each class that the probe sees; not given: 500, or as many as there are"""


QUICK = Config(data="digits", arms=("all", "without crop", "crop only"), epochs=5, batch_size=128, image_size=16,
               channels=8, feature_dim=64, hidden_dim=32, learning_rate=0.002, labels=50)  # fmt: skip


def network(config: Config, _arm: str, shape: tuple[int, int, int], _classes: int) -> SimCLR:
    """The same network for every arm."""
    encoder = BaseNetwork(shape[0], config.channels, config.feature_dim, image_size=shape[-1])
    return SimCLR(encoder, config.feature_dim, config.hidden_dim)


def recipe(config: Config, samples: int) -> Recipe:
    """How every arm learns."""
    optimizer = partial(torch.optim.AdamW, betas=(0.9, config.second_decay), fused=True)
    steps, rising = (round(epochs * (samples // config.batch_size)) for epochs in (config.epochs, config.warm_up))
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(optimizer, lr=config.learning_rate, weight_decay=config.weight_decay),
        schedule=schedules.warm_up(schedules.cosine(steps=max(1, steps), floor=1 / 50), steps=rising),
        drop_last=True,
        select=Selection(metric="top5_accuracy"),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every arm on its own views, tells how well those are found, and probes the encoders."""
    name = first_present(("stl10", "cifar10"), run.data_root) if config.data == "auto" else config.data
    splits = run.load(name, side=config.image_size, unlabelled=True)
    asked = () if config.labels is None else (config.labels,)
    labels = max(label_counts(splits.train.labels, asked))  # too few labels are told before training
    hidden = splits.unlabelled or splits.train
    held_out = splits.validation if splits.unlabelled is None else splits.train
    for arm in config.arms:
        views = ContrastiveTransformations(simclr_augmentation(config.image_size, leave_out=LEFT_OUT[arm]))
        found = partial(measure_contrastive, images=held_out, views=views, temperature=config.temperature,
                        pairs=min(config.batch_size, len(held_out)))  # fmt: skip
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (hidden.pixels, hidden.labels),
            partial(info_nce, temperature=config.temperature),
            recipe(config, len(hidden)),
            prepare=views,
            measure={"validation": run.place.in_precision(found)},
        )
        encoders = {seed: model.encoder for seed, model in trained.models.items() if isinstance(model, SimCLR)}
        for row in probe_encoders(encoders, splits, Normalize(*CENTRE), [labels]):
            yield {"arm": arm, **row}
            yield {"arm": arm, **{name: row[name] for name in ("seed", "split", "probe_accuracy")}}


def page(run: RunFolder) -> list[Block]:
    """What each arm's features are worth, and how hard its task was."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    compared = differences(results, ALL, [arm for arm in results["arms"] if arm != ALL], METRIC)
    labels = next((row["labels"] for row in rows if "labels" in row), config.labels)
    return [
        Answer(_answer(results, {arm: reading(found) for arm, found in compared.items()}, labels)),
        point_chart(results, METRIC, title="Test accuracy of a linear probe", percent=True,
                    caption=f"On frozen features, with {labels} labels of each class."),
        Table(("views", "test accuracy of the probe", "against all"),
              [(arm, cell(about, METRIC), gain_text(compared[arm]) if arm in compared else "–")
               for arm, about in results["arms"].items()],
              "With 95 % intervals over seeds; differences are paired by seed.", metrics=(METRIC,)),
        line_chart(rows, y="top1_accuracy", where={"split": "validation"}, percent=True,
                   title="The other view is the most similar",
                   caption="Each arm on views of its own: fewer augmentations make the other view easier to find."),
        Text("How often the other view is found does not tell what features are worth: views that keep their colours, "
             "or their place, are found by those alone."),
    ]  # fmt: skip


def _answer(results: Mapping[str, Any], readings: Mapping[str, str], labels: Any) -> str:
    if ALL not in results["arms"]:
        return "The arm with all augmentations was not measured, so there is nothing to hold the others against."
    told = "; ".join(f"{arm} {text}" for arm, text in readings.items())
    return (
        f"With all augmentations a linear classifier on the features recognises {value_of(results, ALL, METRIC)} of "
        f"the test images from {labels} labels of each class. Against that: {told or 'no other arm was run'}."
    )
