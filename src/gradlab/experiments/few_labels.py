"""How many labels is learning from images without labels worth?

Expect: with 10, 20 or 50 labels a class a linear classifier on SimCLR's frozen features beats the same network trained
from scratch on the same labels; with more labels learning from scratch catches up, since all of its weights may adapt
to the classes. A classifier on features of random weights stays below both but for the fewest labels.
Source: handbook, practical 5, parts 2 and 3; Chen et al. 2020, "A simple framework for contrastive learning of visual
representations".
Differs from the handbook: the validation split, not the test split, selects weights and penalties; learning from
scratch makes equally many steps whatever the number of labels.
Command: `gradlab run few_labels --precision bfloat16`
Cost: not run in full yet; `gradlab run few_labels --dry-run` estimates it.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from gradlab import rng
from gradlab.augment import ContrastiveTransformations, Normalize, baseline_augmentation, simclr_augmentation
from gradlab.augment.handbook import CENTRE
from gradlab.data import Images, Splits, first_present
from gradlab.evaluation import examine, first_of_each, measure_classification, measure_contrastive, probe_encoders
from gradlab.models import Baseline, BaseNetwork, SimCLR
from gradlab.objectives import classification, info_nce
from gradlab.records import Row, RunFolder
from gradlab.report import Answer, Block, Table, Text, cell, differences, gain_text, line_chart, reading, value_of
from gradlab.training import Recipe, Run, Selection, schedules

PRETRAINED, SCRATCH = "SimCLR", "from scratch"
PROBE, UNTRAINED = "SimCLR probe", "untrained probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "auto"
    """dataset, or folder:PATH; auto takes stl10 where its files are, else cifar10"""
    labels: tuple[int, ...] = (10, 20, 50, 100, 200, 500)
    """labels of each class"""
    epochs: int = 10
    """passes over the images without labels"""
    batch_size: int = 256
    """images a step without labels; each has two views"""
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
    learning_rate: float = 0.0005
    """of AdamW without labels; falls to a fiftieth along half a cosine"""
    weight_decay: float = 0.0001
    """of AdamW without labels"""
    scratch_epochs: int = 25
    """from scratch, passes over as many images as the most labels; fewer labels are seen more often in each"""
    scratch_batch_size: int = 64
    """images a step from scratch"""
    scratch_learning_rate: float = 0.001
    """of AdamW from scratch; a tenth after 70 % and again after 90 % of the epochs"""
    scratch_weight_decay: float = 0.0002
    """of AdamW from scratch"""


QUICK = Config(data="digits", labels=(5, 20, 50), epochs=10, batch_size=128, image_size=16, channels=8, feature_dim=64,
               hidden_dim=32, learning_rate=0.002, scratch_epochs=5, scratch_batch_size=32)  # fmt: skip


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The same encoder under a projection head, or under a linear classifier."""
    encoder = BaseNetwork(shape[0], config.channels, config.feature_dim, image_size=shape[-1])
    if arm.startswith(SCRATCH):
        return Baseline(encoder, config.feature_dim, classes)
    return SimCLR(encoder, config.feature_dim, config.hidden_dim)


def pretraining(config: Config, samples: int) -> Recipe:
    """How the encoder learns without labels."""
    steps = config.epochs * (samples // config.batch_size)
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.AdamW, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True),
        schedule=schedules.cosine(steps=max(1, steps), floor=1 / 50),
        drop_last=True,
        select=Selection(metric="top5_accuracy"),
    )


def from_scratch(config: Config, samples: int) -> Recipe:
    """How the encoder and its classifier learn from labels alone."""
    steps, epochs = samples // config.scratch_batch_size, config.scratch_epochs
    return Recipe(
        epochs=epochs,
        batch_size=config.scratch_batch_size,
        optimizer=partial(
            torch.optim.AdamW, lr=config.scratch_learning_rate, weight_decay=config.scratch_weight_decay, fused=True
        ),
        schedule=schedules.multi_step([round(share * epochs) * steps for share in (0.7, 0.9)]),
        drop_last=True,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Learns from the labels alone, for each number of them; then without labels, and probes."""
    name = first_present(("stl10", "cifar10"), run.data_root) if config.data == "auto" else config.data
    splits = run.load(name, side=config.image_size, unlabelled=True, normalisation=CENTRE)
    first_of_each(splits.train.labels, max(config.labels))  # too few labels are told before training
    tested: list[Row] = []
    for count in config.labels:
        tested += yield from scratch(config, run, splits, count)
    yield from curve(SCRATCH, tested)
    trained = yield from pretrained(config, run, splits)
    untrained: dict[int, nn.Module] = {}
    for seed in run.seeds:
        with rng.global_stream(seed, "initial weights"):
            untrained[seed] = network(config, UNTRAINED, splits.shape, len(splits.classes))
    for arm, models in {PROBE: trained, UNTRAINED: untrained}.items():
        encoders = {seed: model.encoder for seed, model in models.items() if isinstance(model, SimCLR)}
        found = probe_encoders(encoders, splits, Normalize(*CENTRE), config.labels)
        yield from curve(arm, [{**row, "accuracy": row["probe_accuracy"]} for row in found if row["split"] == "test"])


def scratch(config: Config, run: Run, splits: Splits, count: int) -> Generator[Row, None, list[Row]]:
    """Trains from scratch on the first labels of each class; returns rows with the test accuracy of each seed."""
    arm, prepare = f"{SCRATCH}, {count} labels", Normalize(*CENTRE)
    images = seen_equally_often(splits.train, count, max(config.labels))
    trained = yield from run.fit(
        arm,
        lambda: network(config, arm, splits.shape, len(splits.classes)),
        (images.pixels, images.labels),
        classification,
        from_scratch(config, len(images)),
        prepare=baseline_augmentation(config.image_size),
        measure={"validation": partial(measure_classification, images=splits.validation, prepare=prepare)},
    )
    return [{**row, "labels": count} for row in examine(trained.models, splits.test, prepare).rows]


def pretrained(config: Config, run: Run, splits: Splits) -> Generator[Row, None, dict[int, nn.Module]]:
    """Trains without labels; returns the networks."""
    hidden = splits.unlabelled or splits.train
    held_out = splits.validation if splits.unlabelled is None else splits.train
    views = ContrastiveTransformations(simclr_augmentation(config.image_size))
    pairs = min(config.batch_size, len(held_out))
    trained = yield from run.fit(
        PRETRAINED,
        lambda: network(config, PRETRAINED, splits.shape, len(splits.classes)),
        (hidden.pixels, hidden.labels),
        partial(info_nce, temperature=config.temperature),
        pretraining(config, len(hidden)),
        prepare=views,
        measure={"validation": partial(measure_contrastive, images=held_out, views=views,
                                       temperature=config.temperature, pairs=pairs)},
    )  # fmt: skip
    return trained.models


def seen_equally_often(images: Images, count: int, most: int) -> Images:
    """The first `count` images of each class, repeated until there are as many as for `most` of each class."""
    rows = first_of_each(images.labels, count)
    repeats = -(-most // count)
    return images.take(rows.repeat(repeats)[: len(rows) * most // count])


def curve(arm: str, found: Sequence[Row]) -> Iterator[Row]:
    """A point of the curve for each row, and for each seed all points as its results."""
    for row in found:
        yield {"arm": arm, "seed": row["seed"], "split": "test", "labels": row["labels"], "accuracy": row["accuracy"]}
    for seed in dict.fromkeys(row["seed"] for row in found):
        points = {f"{row['labels']}_labels_accuracy": row["accuracy"] for row in found if row["seed"] == seed}
        yield {"arm": arm, "seed": seed, "split": "test", **points}


def page(run: RunFolder) -> list[Block]:
    """The curve over the number of labels, the differences, and how learning from scratch went."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    counts = sorted(config.labels)
    compared = {count: differences(results, SCRATCH, [PROBE], f"test_{count}_labels_accuracy") for count in counts}
    return [
        Answer(_answer(results, {count: reading(found[PROBE]) for count, found in compared.items() if found}, counts)),
        line_chart([row for row in rows if "labels" in row], x="labels", where={"split": "test"}, percent=True,
                   log_x=True, title="Test accuracy over the number of labels", x_label="labels of each class",
                   caption="Probes are linear classifiers on frozen features; from scratch all weights learn."),
        _table(results, {count: gain_text(found[PROBE]) for count, found in compared.items() if found}, counts),
        Text("All three see the same labelled images, the first of each class. What the probes know beyond them comes "
             "from images without labels, for SimCLR, and from the architecture alone, for random weights. Every seed "
             "sees the same labelled images: the intervals tell how much training varies, not how much another choice "
             "of images would change. Weights and penalties are chosen on the whole validation split."),
        line_chart([row for row in rows if str(row.get("arm")).startswith(SCRATCH)], where={"split": "validation"},
                   percent=True, title="From scratch: validation accuracy over epochs",
                   caption=f"An epoch has as many steps for few labels as for {counts[-1]} of each class."),
        line_chart(rows, y="top5_accuracy", where={"split": ["train", "validation"]}, percent=True,
                   title="SimCLR: the other view is among five"),
    ]  # fmt: skip


def _answer(results: Mapping[str, Any], readings: Mapping[int, str], counts: Sequence[int]) -> str:
    if not readings:
        return "Nothing was measured on the test split."
    told = "; ".join(f"with {count}, {text}" for count, text in readings.items())
    ends = " and ".join(
        f"{value_of(results, PROBE, f'test_{count}_labels_accuracy')} with {count}" for count in (counts[0], counts[-1])
    )
    return (
        f"A linear classifier on SimCLR's features recognises {ends} labels of each class. Against the same network "
        f"trained from scratch on the same labels: {told}."
    )


def _table(results: Mapping[str, Any], gains: Mapping[int, str], counts: Sequence[int]) -> Table:
    arms = [arm for arm in (SCRATCH, PROBE, UNTRAINED) if arm in results["arms"]]
    names = {count: f"test_{count}_labels_accuracy" for count in counts}
    lines = [(str(count), *(cell(results["arms"][arm], name) for arm in arms), gains.get(count, "–"))
             for count, name in names.items()]  # fmt: skip
    return Table(("labels", *arms, "gain"), lines,
                 "Test accuracy by labels of each class, 95 % intervals over seeds. The gain is that of SimCLR probes "
                 "over learning from scratch, paired by seed.",
                 metrics=tuple(names.values()))  # fmt: skip
