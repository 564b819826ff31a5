"""How many labels is learning from images without labels worth?

Expect: with 10, 20 or 50 labels a class a linear classifier on SimCLR's frozen features beats the same network trained
from scratch on the same labels; with more labels learning from scratch catches up, since all of its weights may adapt
to the classes. Fine-tuning SimCLR's encoder is in between: it is near the frozen features while labels are few and
ahead of them with more; after a pretraining as short as the default, learning from scratch passes it, too, where there
are hundreds. A classifier on features of random weights stays below all.
Source: handbook, practical 5, parts 2 and 3; Chen et al. 2020, "A simple framework for contrastive learning of visual
representations", section 6 and appendix B.5.
Differs from the handbook: a validation split, not the test split, selects weights and penalties, so that of STL-10's
500 labelled images of each class 450 are left to learn from; learning from scratch makes equally many steps whatever
the number of labels; fine-tuning, which the handbook leaves out, takes as long as as many epochs from scratch.
Command: `gradlab run few_labels --precision bfloat16`
Cost: 32 min 11 s with `--labels 10 20 50 500` for 4 arms x 3 seeds, bfloat16, 1 core (results/few_labels.json).
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
from gradlab.evaluation import (
    examine,
    first_of_each,
    label_counts,
    measure_classification,
    measure_contrastive,
    probe_encoders,
    too_few,
)
from gradlab.models import Baseline, BaseNetwork, SimCLR
from gradlab.objectives import classification, info_nce
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
    measured_counts,
    reading,
    value_of,
)
from gradlab.stats import Comparison
from gradlab.training import Pretrained, Recipe, Run, Selection, schedules

PRETRAINED, SCRATCH, TUNED = "SimCLR", "from scratch", "fine-tuned"
PROBE, UNTRAINED = "SimCLR probe", "untrained probe"
METRIC = "test_#_labels_accuracy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "auto"
    """dataset, or folder:PATH; auto takes stl10 where its files are, else cifar10"""
    labels: tuple[int, ...] = ()
    """labels of each class; none given: 10 20 50 100 200 500, or as many as there are"""
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
    learning_rate: float = 0.003
    """highest one of AdamW without labels; falls to a fiftieth along half a cosine; the handbook's is 0.0005"""
    warm_up: float = 2.0
    """epochs in which the rate rises to it; the handbook's have no such rise"""
    weight_decay: float = 0.0001
    """of AdamW without labels"""
    second_decay: float = 0.99
    """of AdamW's average of squared gradients; the handbook's is 0.999"""
    scratch_epochs: int = 25
    """from scratch, passes over as many images as the most labels; fewer labels are seen more often in each"""
    scratch_batch_size: int = 64
    """images a step from scratch"""
    scratch_learning_rate: float = 0.001
    """of AdamW from scratch; a tenth after 70 % and again after 90 % of the epochs"""
    scratch_weight_decay: float = 0.0002
    """of AdamW from scratch and in fine-tuning"""
    finetune_epochs: int = 10
    """fine-tuning's passes, counted as from scratch and in batches as large; 0 leaves it out"""
    finetune_learning_rate: float = 0.0003
    """of AdamW in fine-tuning, lower than from scratch to keep what was learned; falls at the same shares of epochs"""


QUICK = Config(data="digits", labels=(5, 20, 50), epochs=10, batch_size=128, image_size=16, channels=8, feature_dim=64,
               hidden_dim=32, learning_rate=0.002, scratch_epochs=5, scratch_batch_size=32,
               finetune_epochs=2, finetune_learning_rate=0.001)  # fmt: skip


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The same encoder under a projection head, or under a linear classifier."""
    encoder = BaseNetwork(shape[0], config.channels, config.feature_dim, image_size=shape[-1])
    if arm.startswith((SCRATCH, TUNED)):
        return Baseline(encoder, config.feature_dim, classes)
    return SimCLR(encoder, config.feature_dim, config.hidden_dim)


def pretraining(config: Config, samples: int) -> Recipe:
    """How the encoder learns without labels."""
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


def from_labels(config: Config, arm: str, samples: int) -> Recipe:
    """How an encoder and its classifier learn from labels, from drawn weights or from pretrained ones."""
    tuned = arm.startswith(TUNED)
    rate = config.finetune_learning_rate if tuned else config.scratch_learning_rate
    steps, epochs = samples // config.scratch_batch_size, config.finetune_epochs if tuned else config.scratch_epochs
    return Recipe(
        epochs=epochs,
        batch_size=config.scratch_batch_size,
        optimizer=partial(torch.optim.AdamW, lr=rate, weight_decay=config.scratch_weight_decay, fused=True),
        schedule=schedules.multi_step([round(share * epochs) * steps for share in (0.7, 0.9)]),
        drop_last=True,
        select=Selection(),
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Learns from the labels alone, for each number of them; then without labels, probes and fine-tunes."""
    name = first_present(("stl10", "cifar10"), run.data_root) if config.data == "auto" else config.data
    splits = run.load(name, side=config.image_size, unlabelled=True, normalisation=CENTRE)
    counts = label_counts(splits.train.labels, config.labels)  # too few labels are told before training
    tested: list[Row] = []
    for count in counts:
        tested += yield from supervised(config, run, splits, SCRATCH, (count, max(counts)))
    yield from curve(SCRATCH, tested)
    trained = yield from pretrained(config, run, splits)
    untrained: dict[int, nn.Module] = {}
    for seed in run.seeds:
        with rng.global_stream(seed, "initial weights"):
            untrained[seed] = network(config, UNTRAINED, splits.shape, len(splits.classes))
    for arm, models in {PROBE: trained, UNTRAINED: untrained}.items():
        encoders = {seed: model.encoder for seed, model in models.items() if isinstance(model, SimCLR)}
        found = probe_encoders(encoders, splits, Normalize(*CENTRE), counts)
        yield from curve(arm, [{**row, "accuracy": row["probe_accuracy"]} for row in found if row["split"] == "test"])
    if trained and config.finetune_epochs:
        tested = []
        for count in counts:
            tested += yield from supervised(config, run, splits, TUNED, (count, max(counts)), trained)
        yield from curve(TUNED, tested)


def supervised(
    config: Config, run: Run, splits: Splits, kind: str, counts: tuple[int, int], trained: Mapping[int, nn.Module] = {}
) -> Generator[Row, None, list[Row]]:
    """Trains on the first labels of each class; returns rows with the test accuracy of each seed.

    Args:
        config: of the experiment.
        run: the seeds and the place.
        splits: of the data.
        kind: SCRATCH, or TUNED, which begins with the encoders of `trained`.
        counts: how many labels of each class, and how many at most, to make as many steps.
        trained: seed -> network whose encoder learned without labels.
    """
    arm, prepare = f"{kind}, {counts[0]} labels", Normalize(*CENTRE)
    images = seen_equally_often(splits.train, *counts)
    encoders = {seed: {name: tensor for name, tensor in model.state_dict().items() if name.startswith("encoder.")}
                for seed, model in trained.items()}  # fmt: skip

    def drawn() -> nn.Module:
        return network(config, arm, splits.shape, len(splits.classes))

    found = yield from run.fit(
        arm,
        Pretrained(drawn, encoders) if kind == TUNED else drawn,
        (images.pixels, images.labels),
        classification,
        from_labels(config, arm, len(images)),
        prepare=baseline_augmentation(config.image_size),
        measure={"validation": run.place.in_precision(partial(measure_classification, images=splits.validation,
                                                              prepare=prepare))},
    )  # fmt: skip
    return [{**row, "labels": counts[0]} for row in examine(found.models, splits.test, prepare).rows]


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
        measure={"validation": run.place.in_precision(partial(measure_contrastive, images=held_out, views=views,
                                                              temperature=config.temperature, pairs=pairs))},
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
    """The curve over the number of labels, the differences, and how learning from labels went."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    counts = measured_counts(results, METRIC)
    told_of_counts = too_few(config.labels, counts)
    return [
        Answer(_answer(results, counts)),
        line_chart([row for row in rows if "labels" in row], x="labels", where={"split": "test"}, percent=True,
                   log_x=True, title="Test accuracy over the number of labels", x_label="labels of each class",
                   caption="Probes are linear classifiers on frozen features; fine-tuned and from scratch all weights "
                           "learn, with the same augmentation."),
        *_tables(results, counts),
        Text("All see the same labelled images, the first of each class. What SimCLR's probe and fine-tuning know "
             "beyond them comes from images without labels; what the untrained probe knows, from the architecture "
             "alone. Every seed sees the same labelled images: the intervals tell how much training varies, not how "
             "much another choice of images would change. Weights and penalties are chosen on the whole validation "
             f"split. {told_of_counts}".strip()),
        *(line_chart([row for row in rows if str(row.get("arm")).startswith(kind)], where={"split": "validation"},
                     percent=True, title=f"{kind.capitalize()}: validation accuracy over epochs",
                     caption="An epoch has as many steps for few labels as for many.")
          for kind in (SCRATCH, TUNED) if kind in results["arms"]),
        line_chart(rows, y="top5_accuracy", where={"split": ["train", "validation"]}, percent=True,
                   title="SimCLR: the other view is among five"),
    ]  # fmt: skip


def _answer(results: Mapping[str, Any], counts: Sequence[int]) -> str:
    gains = _gains(results, counts)
    if not any(gains.values()):
        return "Nothing was measured on the test split."
    ends = " and ".join(
        f"{value_of(results, PROBE, METRIC.replace('#', str(count)))} with {count}" for count in (counts[0], counts[-1])
    )
    told = "; ".join(f"with {count}, {reading(found[PROBE])}" for count, found in gains.items() if PROBE in found)
    tuned = "; ".join(f"with {count}, {gain_text(found[TUNED])}" for count, found in gains.items() if TUNED in found)
    return (
        f"A linear classifier on SimCLR's features recognises {ends} labels of each class. Against the same network "
        f"trained from scratch on the same labels: {told}." + (f" Fine-tuned: {tuned}." if tuned else "")
    )


def _gains(results: Mapping[str, Any], counts: Sequence[int]) -> dict[int, dict[str, Comparison]]:
    """For each number of labels, what learning without labels first gains over learning from scratch."""
    return {count: differences(results, SCRATCH, [PROBE, TUNED], METRIC.replace("#", str(count))) for count in counts}


def _tables(results: Mapping[str, Any], counts: Sequence[int]) -> list[Block]:
    arms = [arm for arm in (SCRATCH, PROBE, TUNED, UNTRAINED) if arm in results["arms"]]
    names = {count: METRIC.replace("#", str(count)) for count in counts}
    gains = _gains(results, counts)
    gaining = [arm for arm in (PROBE, TUNED) if any(arm in found for found in gains.values())]
    return [
        Table(("labels", *arms),
              [(str(count), *(cell(results["arms"][arm], name) for arm in arms)) for count, name in names.items()],
              "Test accuracy by labels of each class, 95 % intervals over seeds.", metrics=tuple(names.values())),
        Table(("labels", *gaining),
              [(str(count), *(gain_text(found[arm]) if arm in found else "–" for arm in gaining))
               for count, found in gains.items()],
              "Gain over learning from scratch, paired by seed."),
    ]  # fmt: skip
