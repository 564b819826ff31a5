"""What does a network learn of images without labels, by finding the other view of each image among many?

Expect: after 10 epochs on CIFAR-10 the other view is the most similar of 511 for 72 % of the views, and a linear
classifier on the frozen features knows 38 % of the test images from 10 labels a class, 59 % from 500: far more than on
random weights, and still rising with both epochs and labels. The labels of the train split are hidden from the
network; only the probes see some. STL-10 is taken where its files are, which has 100,000 images without labels.
Differs from the handbook: the rate rises for two epochs, to six times the handbook's, which few epochs need. Its own
are `--learning-rate 0.0005 --warm-up 0 --second-decay 0.999`.
Source: handbook, practical 5, parts 1 and 2; Chen et al. 2020, "A simple framework for contrastive learning of visual
representations". The handbook's text says ResNet-18, its code this network.
Command: `gradlab run simclr --precision bfloat16`
Cost: 10 min 5 s for 2 arms x 3 seeds, bfloat16, 1 core (results/simclr.json).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from gradlab import rng
from gradlab.augment import ContrastiveTransformations, Normalize, Transform, simclr_augmentation
from gradlab.augment.handbook import CENTRE
from gradlab.data import Splits, first_present
from gradlab.evaluation import (
    alignment,
    features,
    first_of_each,
    label_counts,
    measure_contrastive,
    nearest,
    neighbour_accuracy,
    principal_plane,
    probe_encoders,
    retrieval_precision,
    said_of_views,
    too_few,
    tsne,
    uniformity,
)
from gradlab.models import BaseNetwork, SimCLR
from gradlab.objectives import info_nce
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Pictures,
    ScatterChart,
    Table,
    Text,
    cell,
    differences,
    line_chart,
    measured_counts,
    percent,
    point_sets,
    reading,
    value_of,
)
from gradlab.training import Recipe, Run, Selection, schedules

ARM, UNTRAINED = "SimCLR", "random weights"
RETRIEVED = (1, 2, 5, 10, 20, 50)
"""Neighbours among which the share of the same class is measured."""
COMPARED = 2000
"""Test images, the first ones, whose features are compared with each other."""
MAPPED = 1000
"""Of those, the first ones, that are laid out in a map."""
NEIGHBOURS = 6
PAIRS_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "auto"
    """dataset, or folder:PATH; auto takes stl10 where its files are, else cifar10"""
    epochs: int = 10
    """passes over the images without labels; the handbook's final runs take 500"""
    batch_size: int = 256
    """images a step; each has two views, and all others are negatives"""
    image_size: int = 32
    """side of the views, and to which other images are resized, in pixels"""
    channels: int = 32
    """of the encoder's first convolutions"""
    feature_dim: int = 512
    """numbers of a feature"""
    hidden_dim: int = 128
    """numbers of a projection; the head's hidden layer has four times as many"""
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
    pairs: int = 256
    """images among whose views the other one is found in validation"""
    labels: tuple[int, ...] = ()
    """labels of each class that a probe sees; none given: 10 20 50 100 200 500, or as many as there are"""
    neighbours: int = 200
    """labelled images that vote on a test image"""


QUICK = Config(data="digits", epochs=12, batch_size=128, image_size=16, channels=8, feature_dim=64, hidden_dim=32,
               learning_rate=0.002, pairs=128, labels=(5, 10, 20, 50), neighbours=20)  # fmt: skip


def network(config: Config, _arm: str, shape: tuple[int, int, int], _classes: int) -> SimCLR:
    """The encoder with its head, for images of [channels, side, side]."""
    encoder = BaseNetwork(shape[0], config.channels, config.feature_dim, image_size=shape[-1])
    return SimCLR(encoder, config.feature_dim, config.hidden_dim)


def recipe(config: Config, samples: int) -> Recipe:
    """AdamW along half a cosine; the weights that find the other view among the first five most often."""
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
    """Trains without labels; then probes the encoders, and the same ones with the weights they began with."""
    name = first_present(("stl10", "cifar10"), run.data_root) if config.data == "auto" else config.data
    splits = run.load(name, side=config.image_size, unlabelled=True)
    counts = label_counts(splits.train.labels, config.labels)  # too few labels are told before training
    hidden = splits.unlabelled or splits.train
    held_out = splits.validation if splits.unlabelled is None else splits.train
    views = ContrastiveTransformations(simclr_augmentation(config.image_size))
    pairs = min(config.pairs, len(held_out))
    found = partial(measure_contrastive, images=held_out, views=views, temperature=config.temperature, pairs=pairs)
    trained = yield from run.fit(
        ARM,
        lambda: network(config, ARM, splits.shape, len(splits.classes)),
        (hidden.pixels, hidden.labels),
        partial(info_nce, temperature=config.temperature),
        recipe(config, len(hidden)),
        prepare=views,
        measure={"validation": run.place.in_precision(found)},
    )
    untrained = {}
    for seed in run.seeds:
        with rng.global_stream(seed, "initial weights"):
            untrained[seed] = network(config, UNTRAINED, splits.shape, len(splits.classes)).eval()
    models = {ARM: trained.models, UNTRAINED: untrained}
    for arm, networks in models.items():
        yield from ({"arm": arm, **row} for row in examined(config, networks, splits, views, counts))
    model = next(iter(trained.models.values()), None)
    if model is not None:
        run.keep_arrays("features", pictures(model, splits, views) | {"pairs": np.array(pairs)})


def examined(
    config: Config, models: Mapping[int, nn.Module], splits: Splits, views: Transform, counts: Sequence[int]
) -> Iterator[Row]:
    """What probes, neighbours and projections say of networks, on the test split."""
    prepare = Normalize(*CENTRE)
    encoders = {seed: encoder_of(model) for seed, model in models.items()}
    probed = list(probe_encoders(encoders, splits, prepare, counts))
    yield from probed
    labelled = splits.train.take(first_of_each(splits.train.labels, max(counts)))
    for seed, model in models.items():
        bank, queries = (features({seed: encoders[seed]}, part, prepare) for part in (labelled, splits.test))
        some, names = queries.values[0, :COMPARED], queries.labels[:COMPARED]
        ks = [k for k in RETRIEVED if k < len(some)]
        for count, share in retrieval_precision(some, names, ks).items():
            yield {"seed": seed, "split": "test", "neighbours": count, "precision": share}
        probes = {f"probe_{row['labels']}_accuracy": row["probe_accuracy"] for row in probed
                  if row["seed"] == seed and row["split"] == "test"}  # fmt: skip
        voted = neighbour_accuracy((bank.values[0], bank.labels), (queries.values[0], queries.labels),
                                   count=min(config.neighbours, len(labelled)), temperature=0.07)  # fmt: skip
        first, second = said_of_views(model, splits.test.pixels[: config.pairs], views).chunk(2)
        yield {"seed": seed, "split": "test", **probes, "neighbour_accuracy": voted,
               "alignment": alignment(first, second), "uniformity": uniformity(first)}  # fmt: skip


def encoder_of(model: nn.Module) -> nn.Module:
    """A network without its head."""
    assert isinstance(model, SimCLR)
    return model.encoder


def pictures(model: nn.Module, splits: Splits, views: ContrastiveTransformations) -> dict[str, np.ndarray]:
    """Views, neighbours and the plane of a network's features.

    "views" uint8 [2 * PAIRS_SHOWN, channels, side, side]; "neighbours" uint8 [queries, 1 + NEIGHBOURS, channels, side,
    side], the first test image of each class and what is nearest among the other test images, with their "classes";
    "plane" [N, 2] of the first test images with "labels" [N] and "shares" [2] of the variance, and their "map" [M, 2].
    """
    drawn = torch.rand(PAIRS_SHOWN, views.uniforms, generator=rng.generator(0, "pictures"))
    shown = views(splits.test.pixels[:PAIRS_SHOWN], drawn)
    prepare = Normalize(*CENTRE)
    some = splits.test.take(range(min(COMPARED, len(splits.test))))
    values = features({0: encoder_of(model)}, some, prepare).values[0]
    queries = first_of_each(some.labels, 1)
    queries = queries[some.labels[queries].argsort()]
    _cosines, places = nearest(values, values, NEIGHBOURS, itself=True)
    rows = torch.cat([queries.unsqueeze(1), places[queries]], 1)
    plane, shares = principal_plane(values)
    return {
        "views": ((shown + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy(),
        "neighbours": some.pixels[rows].numpy(),
        "classes": some.labels[rows].numpy(),
        "plane": plane.float().numpy(),
        "labels": some.labels.numpy(),
        "shares": shares.numpy(),
        "map": tsne(torch.nn.functional.normalize(values[:MAPPED], dim=1)).numpy(),
    }


def page(run: RunFolder) -> list[Block]:
    """How well the other view is found, what a few labels make of it, and how the features lie."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    both = {"split": ["train", "validation"]}
    kept = run.arrays("features")
    pairs = int(kept["pairs"]) if kept else config.pairs
    counts = measured_counts(results, "test_probe_#_accuracy")
    among = f"Among the views of {pairs} images in validation, of {config.batch_size} in training."
    told = {"top1_accuracy": "The other view is the most similar", "top5_accuracy": "The other view is among five"}
    return [
        Answer(_answer(_selected(run, rows), pairs, results, config, counts)),
        line_chart(rows, y="probe_accuracy", x="labels", where={"split": "test"}, percent=True, log_x=True,
                   title="Test accuracy of a linear probe", x_label="labels of each class",
                   caption="A linear classifier on frozen features; its penalty is chosen on the validation split."),
        _table(results, config, counts),
        *([Text(told_of_counts)] if (told_of_counts := too_few(config.labels, counts)) else []),
        *(line_chart(rows, y=name, where=both, percent=True, title=title, caption=among)
          for name, title in told.items()),
        line_chart(rows, y="mean_position", where=both, title="Where the other view stands", log_y=True,
                   y_label="mean position, from 1"),
        line_chart(rows, y="loss", where=both, title="InfoNCE over epochs", y_label="nats"),
        Text("High numbers say that views of one image lie close together and apart from those of other images. That "
             "tells images apart, whatever crop and colour do to them; if it tells classes apart, the probes say."),
        _geometry(results),
        line_chart(rows, y="precision", x="neighbours", where={"split": "test"}, percent=True, log_x=True,
                   title="Share of the nearest test images of the same class", x_label="nearest images"),
        *_pictures(run),
    ]  # fmt: skip


def _answer(
    found: Sequence[float], pairs: int, results: Mapping[str, Any], config: Config, counts: Sequence[int]
) -> str:
    if not found or not counts or ARM not in results["arms"]:
        return "Nothing was measured on the test split."
    few, many = f"test_probe_{counts[0]}_accuracy", f"test_probe_{counts[-1]}_accuracy"
    beside = differences(results, UNTRAINED, [ARM], many)
    against = f" Against random weights, with as many labels: {reading(beside[ARM])}." if ARM in beside else ""
    return (
        f"After {config.epochs} epochs without labels the other view of an image is the most similar of "
        f"{2 * pairs - 1} for {percent(sum(found) / len(found), 1)} of the validation views. A linear classifier on "
        f"the frozen features recognises {value_of(results, ARM, few)} of the test images from {counts[0]} labels a "
        f"class and {value_of(results, ARM, many)} from {counts[-1]}.{against}"
    )


def _selected(run: RunFolder, rows: Sequence[Row]) -> list[float]:
    """How often the other view is the most similar, for each seed at the epoch whose weights were kept."""
    epochs = run.document("environment")["arms"].get(ARM, {}).get("best_epochs", {})
    return [
        float(row["top1_accuracy"] or 0) for row in rows
        if row.get("split") == "validation" and "top1_accuracy" in row
        and row["epoch"] == epochs.get(str(row["seed"]))
    ]  # fmt: skip


def _table(results: Mapping[str, Any], config: Config, counts: Sequence[int]) -> Table:
    names = {f"test_probe_{count}_accuracy": str(count) for count in counts}
    arms = [arm for arm in (ARM, UNTRAINED) if arm in results["arms"]]
    lines = [(label, *(cell(results["arms"][arm], name) for arm in arms)) for name, label in names.items()]
    voted = ("neighbours vote", *(cell(results["arms"][arm], "test_neighbour_accuracy") for arm in arms))
    return Table(
        ("labels of each class", *arms), [*lines, voted],
        f"Test accuracy with 95 % intervals over seeds. The last line: the {config.neighbours} nearest of all labelled "
        "images, weighted by their cosines.", metrics=(*names, "test_neighbour_accuracy"),
    )  # fmt: skip


def _geometry(results: Mapping[str, Any]) -> Table:
    names = ("test_alignment", "test_uniformity")
    lines = [(arm, *(cell(about, name) for name in names)) for arm, about in results["arms"].items()]
    return Table(("network", "alignment", "uniformity"), lines,
                 "Of projections. Alignment: the mean squared distance between views of one image, 0 at best. "
                 "Uniformity: how evenly images fill the sphere, from 0 where all are the same to about −4.",
                 metrics=names)  # fmt: skip


def _pictures(run: RunFolder) -> list[Block]:
    kept = run.arrays("features")
    if not kept:
        return []
    names = run.document("environment")["data"]["classes"]
    pairs, found = _with_colours(kept["views"]), kept["neighbours"]
    captions = [f"view {view + 1} of image {image + 1}" for view in range(2) for image in range(PAIRS_SHOWN)]
    lines = [names[label] if place else f"query: {names[label]}"
             for line in kept["classes"] for place, label in enumerate(line)]  # fmt: skip
    same = (kept["classes"][:, 1:] == kept["classes"][:, :1]).mean()
    nearest_told = (
        f"By the cosine of their features, first seed; {percent(same)} of those shown have the query's class."
    )
    return [
        Pictures(pairs, captions, "Two views of an image, one above the other", columns=PAIRS_SHOWN),
        Pictures(_with_colours(found.reshape(-1, *found.shape[2:])), lines, "Nearest test images",
                 columns=1 + NEIGHBOURS, caption=nearest_told),
        *_planes(kept, names),
    ]  # fmt: skip


def _planes(kept: Mapping[str, np.ndarray], names: Sequence[str]) -> list[Block]:
    """How features lie: where most of their variance is, and which are near to each other."""
    charts: list[Block] = [
        ScatterChart(point_sets(kept["plane"], kept["labels"], names), "Test images in the plane of their features",
                     x_label="first principal component", y_label="second principal component",
                     caption=f"First seed. The plane holds {percent(kept['shares'].sum())} of the features' variance.")
    ]  # fmt: skip
    if "map" in kept:
        told = "First seed, t-SNE of directions. Near images have near features; far distances and sizes mean little."
        labels = kept["labels"][: len(kept["map"])]
        charts.append(
            ScatterChart(point_sets(kept["map"], labels, names), "Test images beside those with near features",
                         x_label="place on the map", y_label="place on the map", equal=True, caption=told)
        )  # fmt: skip
    return charts


def _with_colours(pixels: np.ndarray) -> np.ndarray:
    """[N, channels, height, width] as [N, height, width, 3]."""
    return np.ascontiguousarray(np.broadcast_to(pixels, (len(pixels), 3, *pixels.shape[2:])).transpose(0, 2, 3, 1))
