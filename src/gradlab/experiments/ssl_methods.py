"""Which way of learning without labels gives the best features for the same number of steps?

Expect: at 10 epochs contrast with negatives (SimCLR) is ahead of the methods without them, which are known to need
longer; with labels for all images (supervised contrastive) features are better, far better where the probe then sees
few labels, as the upper end of what to hope for. Given enough epochs the methods without labels come close to each
other.
Source: handbook, practical 5, conclusion, which names the methods; Chen et al. 2020 (SimCLR), Grill et al. 2020 (BYOL),
Zbontar et al. 2021 (Barlow twins), Khosla et al. 2020 (supervised contrastive).
Command: `gradlab run ssl_methods --precision bfloat16`
Cost: 19 min 17 s with `--epochs 4` for 4 arms x 3 seeds, bfloat16, 1 core (results/ssl_methods-4-epochs.json).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from gradlab.augment import ContrastiveTransformations, Normalize, simclr_augmentation
from gradlab.augment.handbook import CENTRE
from gradlab.data import Images, Splits, first_present
from gradlab.evaluation import features, first_of_each, label_counts, neighbour_accuracy, probe_encoders, too_few
from gradlab.models import BYOL, BarlowTwins, BaseNetwork, SimCLR
from gradlab.objectives import barlow_twins, byol, info_nce, supervised_contrastive
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Table,
    Text,
    cell,
    differences,
    line_chart,
    measured_arms,
    measured_counts,
    reading,
    value_of,
)
from gradlab.training import Recipe, Run, schedules

SUPERVISED = "supervised contrastive"
WATCHED = 1000
"""Images of the validation split whose neighbours are counted after each epoch, the first ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "auto"
    """dataset, or folder:PATH; auto takes stl10 where its files are, else cifar10"""
    arms: tuple[Literal["SimCLR", "BYOL", "Barlow twins", "supervised contrastive"], ...] = (
        "SimCLR", "BYOL", "Barlow twins", "supervised contrastive",
    )  # fmt: skip
    """methods; the last one sees the labels of the train split"""
    epochs: int = 10
    """passes over the images"""
    batch_size: int = 256
    """images a step"""
    image_size: int = 32
    """side to which other images are resized, in pixels"""
    channels: int = 32
    """of the encoder's first convolutions"""
    feature_dim: int = 512
    """numbers of a feature"""
    hidden_dim: int = 128
    """numbers of a projection of SimCLR and BYOL"""
    wide_dim: int = 1024
    """numbers of a projection of Barlow twins, which need many"""
    temperature: float = 0.07
    """what cosines are divided by"""
    decay: float = 0.99
    """share of BYOL's target that stays at a step, at the beginning"""
    learning_rate: float = 0.0005
    """of AdamW; falls to a fiftieth along half a cosine"""
    weight_decay: float = 0.0001
    """of AdamW"""
    labels: tuple[int, ...] = ()
    """labels of each class that a probe sees; none given: 10 20 50 100 200 500, or as many as there are"""
    neighbours: int = 20
    """labelled images that vote after each epoch"""


QUICK = Config(data="digits", epochs=5, batch_size=128, image_size=16, channels=8, feature_dim=64, hidden_dim=32,
               wide_dim=128, learning_rate=0.002, labels=(5, 20, 50))  # fmt: skip


def network(
    config: Config, arm: str, shape: tuple[int, int, int], _classes: int, *, steps: int = 0
) -> SimCLR | BYOL | BarlowTwins:
    """The same encoder under the head of a method; `steps` is how long BYOL's target takes to come to rest."""
    encoder = BaseNetwork(shape[0], config.channels, config.feature_dim, image_size=shape[-1])
    if arm == "BYOL":
        hidden = 4 * config.hidden_dim
        return BYOL(encoder, config.feature_dim, hidden, config.hidden_dim, decay=config.decay, steps=steps)
    if arm == "Barlow twins":
        return BarlowTwins(encoder, config.feature_dim, config.wide_dim)
    return SimCLR(encoder, config.feature_dim, config.hidden_dim)


def objective(config: Config, arm: str) -> Callable[..., Any]:
    """What a method makes small."""
    if arm == "BYOL":
        return byol
    if arm == "Barlow twins":
        return barlow_twins
    return partial(supervised_contrastive if arm == SUPERVISED else info_nce, temperature=config.temperature)


def recipe(config: Config, samples: int, epochs: int) -> Recipe:
    """How every method learns; the weights of the last epoch are kept, since no measurement without labels fits all."""
    return Recipe(
        epochs=epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.AdamW, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True),
        schedule=schedules.cosine(steps=max(1, epochs * (samples // config.batch_size)), floor=1 / 50),
        drop_last=True,
    )


def epochs_of(config: Config, splits: Splits, images: Images) -> int:
    """Passes over the images of a method: more where it has fewer images, for the same number of steps."""
    most = len(splits.unlabelled or splits.train)
    return max(1, round(config.epochs * (most // config.batch_size) / max(1, len(images) // config.batch_size)))


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every method for as many steps, and probes its encoder."""
    name = first_present(("stl10", "cifar10"), run.data_root) if config.data == "auto" else config.data
    splits = run.load(name, side=config.image_size, unlabelled=True)
    counts = label_counts(splits.train.labels, config.labels)  # too few labels are told before training
    labelled = splits.train.take(first_of_each(splits.train.labels, max(counts)))
    watched = splits.validation.take(range(min(WATCHED, len(splits.validation))))
    for arm in config.arms:
        images = trained_on(splits, arm)
        epochs = epochs_of(config, splits, images)
        steps = epochs * (len(images) // config.batch_size)
        trained = yield from run.fit(
            arm,
            lambda arm=arm, steps=steps: network(config, arm, splits.shape, 0, steps=steps),
            (images.pixels, images.labels),
            objective(config, arm),
            recipe(config, len(images), epochs),
            prepare=ContrastiveTransformations(simclr_augmentation(config.image_size)),
            measure={"validation": partial(voted, config, labelled=labelled, watched=watched)},
        )
        encoders = {seed: encoder_of(model) for seed, model in trained.models.items()}
        found = list(probe_encoders(encoders, splits, Normalize(*CENTRE), counts))
        yield from ({"arm": arm, **row} for row in found)
        for seed in encoders:
            yield {"arm": arm, "seed": seed, "split": "test", **{
                f"probe_{row['labels']}_accuracy": row["probe_accuracy"] for row in found
                if row["seed"] == seed and row["split"] == "test"}}  # fmt: skip


def trained_on(splits: Splits, arm: str) -> Images:
    """The images that a method learns from: those with labels where it needs them."""
    return splits.train if arm == SUPERVISED or splits.unlabelled is None else splits.unlabelled


def encoder_of(model: nn.Module) -> nn.Module:
    """A network without its heads."""
    assert isinstance(model, SimCLR | BYOL | BarlowTwins)
    return model.encoder


def voted(config: Config, model: nn.Module, *, labelled: Images, watched: Images) -> dict[str, float]:
    """The share of images that their nearest labelled images vote right: it watches methods, and decides nothing."""
    bank, queries = (features({0: encoder_of(model)}, part, Normalize(*CENTRE)) for part in (labelled, watched))
    count = min(config.neighbours, len(labelled))
    share = neighbour_accuracy((bank.values[0], bank.labels), (queries.values[0], queries.labels), count=count)
    return {"neighbour_accuracy": share}


def page(run: RunFolder) -> list[Block]:
    """What every method's features are worth, and how they came about."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    counts = measured_counts(results, "test_probe_#_accuracy")
    if not counts:
        return [Answer("Nothing was measured on the test split.")]
    names = {count: f"test_probe_{count}_accuracy" for count in counts}
    arms = measured_arms(results, names[counts[-1]])
    return [
        Answer(_answer(results, arms, names[counts[-1]], counts[-1])),
        line_chart(rows, y="probe_accuracy", x="labels", where={"split": "test"}, percent=True, log_x=True,
                   title="Test accuracy of a linear probe", x_label="labels of each class",
                   caption="On frozen features; the penalty is chosen on the validation split."),
        Table(("labels", *arms),
              [(str(count), *(cell(results["arms"][arm], name) for arm in arms)) for count, name in names.items()],
              "Test accuracy by labels of each class, with 95 % intervals over seeds.", metrics=tuple(names.values())),
        *([Text(told_of_counts)] if (told_of_counts := too_few(config.labels, counts)) else []),
        line_chart(rows, y="neighbour_accuracy", where={"split": "validation"}, percent=True,
                   title="Validation images voted right by their neighbours", y_label="validation accuracy",
                   caption=f"Votes of the {config.neighbours} nearest labelled images; this decides nothing."),
        Text("Every method makes as many steps, with batches of the same size, the same augmentation, optimiser and "
             "encoder; none was tuned. Methods without labels see the same views in the same order. The "
             "losses are different quantities and cannot be held beside each other."),
    ]  # fmt: skip


def _answer(results: Mapping[str, Any], arms: list[str], metric: str, count: int) -> str:
    if not arms:
        return "Nothing was measured on the test split."
    reached = "; ".join(f"{arm} {value_of(results, arm, metric)}" for arm in arms)
    compared = differences(results, arms[0], arms[1:], metric)
    against = " ".join(f"{arm} against {arms[0]}: {reading(found)}." for arm, found in compared.items())
    return f"Test accuracy of a linear probe with {count} labels of each class: {reached}. {against}".strip()
