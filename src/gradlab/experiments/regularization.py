"""Which regularisers keep a large network from learning a few images by heart, and does it help on other images?

Expect: without any, the network is right for every training image within a few epochs, while about one in ten others
stays wrong and the validation loss grows again. Dropout narrows the gap; penalties as small as the cheat-sheet's,
0.00001 for L1 and 0.0001 for L2, hardly act in so few steps; batch normalisation regularises on the side, since each
image is normalised with the chance company of its batch.
Source: cheat-sheet, "Parameters and optimisers" (weight decay, L1), "Neural networks" (dropout, batch normalisation).
Command: `gradlab run regularization --seeds 0 1 2 3 4 5 6 7` (four comparisons need eight seeds to show anything)
Cost: 8 min 37 s with `--seeds 0 1 2 3 4 5 6 7` for 5 arms x 8 seeds, float32, 1 core (results/regularization.json).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch

from gradlab import rng
from gradlab.augment import Normalize
from gradlab.data import Images
from gradlab.evaluation import examine, measure_classification
from gradlab.models import MLP
from gradlab.objectives import classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Table,
    Text,
    best_validated,
    changes_table,
    classification_blocks,
    finding,
    gain_text,
    line_chart,
    with_error,
)
from gradlab.report.results import values_by_seed
from gradlab.report.wording import interval_text
from gradlab.stats import Comparison, compare_all, format_interval, summarise
from gradlab.training import Recipe, Run

NONE = "none"
SEEN = "training images"
"""The training images as the network sees them when it is used: with all its units, after the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset, or folder:PATH"""
    arms: tuple[Literal["none", "L1", "L2", "dropout", "BatchNorm"], ...] = ("none", "L1", "L2", "dropout", "BatchNorm")
    """regularisers to compare; the first is what the others are held against"""
    train_images: int = 1000
    """images to learn from, the same for every seed"""
    hidden: tuple[int, ...] = (512, 512)
    """units of each hidden layer"""
    epochs: int = 60
    """passes over these images"""
    batch_size: int = 50
    """images a step"""
    learning_rate: float = 0.01
    """of stochastic gradient descent with momentum"""
    momentum: float = 0.9
    """of stochastic gradient descent"""
    l1: float = 1e-5
    """weight of the sum of absolute parameters in the loss"""
    l2: float = 1e-4
    """weight decay of the optimiser"""
    dropout: float = 0.5
    """probability of dropping a hidden unit"""


QUICK = Config(data="digits", train_images=200, hidden=(128, 128), epochs=20, batch_size=25, learning_rate=0.05)


def network(config: Config, arm: str, shape: tuple[int, int, int], classes: int) -> MLP:
    """The network of an arm, for images of [channels, height, width]."""
    channels, height, width = shape
    dropout = config.dropout if arm == "dropout" else 0.0
    norm = "batch" if arm == "BatchNorm" else None
    return MLP(channels * height * width, classes, config.hidden, norm=norm, dropout=dropout)


def recipe(config: Config, arm: str) -> Recipe:
    """How an arm learns; the weights of the last epoch are kept, for stopping early would regularise as well."""
    decay = config.l2 if arm == "L2" else 0.0
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.SGD, lr=config.learning_rate, momentum=config.momentum, weight_decay=decay),
        l1=config.l1 if arm == "L1" else 0.0,
    )


def few(images: Images, count: int) -> Images:
    """So many images, drawn once and for all."""
    return images.take(torch.randperm(len(images), generator=rng.generator(0, "few images"))[:count])


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every arm on the same few images; measures them and validation each epoch, the test split at the end."""
    splits = run.load(config.data)
    normalize = Normalize(*splits.normalisation)
    train = few(splits.train, config.train_images)
    run.facts["data"]["sizes"]["train"] = len(train)
    on = {SEEN: train, "validation": splits.validation}
    for arm in config.arms:
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (train.pixels, train.labels),
            classification,
            recipe(config, arm),
            prepare=normalize,
            measure={split: partial(measure_classification, images=images, prepare=normalize)
                     for split, images in on.items()},
        )  # fmt: skip
        for split, images in {"train": train, "validation": splits.validation, "test": splits.test}.items():
            examination = examine(trained.models, images, normalize, split=split)
            yield from ({"arm": arm, **row} for row in examination.rows)
            if split == "test":
                run.keep_arrays(arm, examination.arrays)


def page(run: RunFolder) -> list[Block]:
    """Curves on the training images and on others, the gap between them, and what each regulariser changes."""
    rows, results = with_error(run.rows()), run.document("results")
    arms = list(results["arms"])
    both = {"split": [SEEN, "validation"]}
    gaps, compared = _gaps(results), _compared(_gaps(results))
    blocks: list[Block] = [
        Answer(_answer(gaps, compared, arms[0])),
        line_chart(rows, y="loss", where=both, log_y=True, title="Loss over epochs", y_label="cross entropy, nats",
                   caption="Both measured after the epoch, with all units."),
        line_chart(rows, y="error", where=both, percent=True, title="Error over epochs", y_label="error"),
        Text(_rise_told(rows, arms[0])),
        Table(("arm", "training images", "gap", "change"),
              [_gap_row(results, arm, gaps[arm], compared.get(arm)) for arm in arms if arm in gaps],
              f"Accuracy on the training images after the last epoch in percent, how far that on validation images is "
              f"below it, and the change of this gap against {arms[0]}, paired by seed, in points; 95 % intervals.",
              ("train_accuracy",)),
        Text("A smaller gap is no aim in itself: a network that learns nothing has none. What counts is the accuracy "
             "on images that took no part:"),
        changes_table(results, {arms[0]: arms[1:]}),
    ]  # fmt: skip
    return blocks + classification_blocks(run, best_validated(run, arms))


def _gaps(results: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Arm -> seed -> accuracy on the training images minus that on the validation images."""
    gaps = {}
    for arm, found in results["arms"].items():
        seen, unseen = (values_by_seed(found, f"{split}_accuracy") for split in ("train", "validation"))
        if shared := seen.keys() & unseen.keys():
            gaps[arm] = {seed: seen[seed] - unseen[seed] for seed in sorted(shared)}
    return gaps


def _compared(gaps: Mapping[str, Mapping[int, float]]) -> dict[str, Comparison]:
    if len(gaps) < 2:
        return {}
    baseline = next(iter(gaps))
    return {made.names[0]: made
            for made in compare_all(gaps, baseline=baseline, larger_is_better=False, percent=True)}  # fmt: skip


def _answer(gaps: Mapping[str, Mapping[int, float]], compared: Mapping[str, Comparison], baseline: str) -> str:
    if baseline not in gaps:
        return "Nothing was measured."
    gap = _points(gaps[baseline])
    lead = f"{_with(baseline)} the accuracy on the training images is {gap} points above that on others."
    told = "; ".join(f"{arm} {gain_text(found)} ({finding(found)})" for arm, found in compared.items())
    return f"{lead} Change of this gap: {told}." if told else lead


def _gap_row(
    results: Mapping[str, Any], arm: str, gap: Mapping[int, float], found: Comparison | None
) -> tuple[str, ...]:
    seen = _points(values_by_seed(results["arms"][arm], "train_accuracy"), share=True)
    return arm, seen, _points(gap), gain_text(found).replace(" points", "") if found else "–"


def _points(values: Mapping[int, float], *, share: bool = False) -> str:
    """The mean of fractions, or of differences of them, in percent with its interval, without the unit."""
    found = summarise(list(values.values()), share=share)
    return interval_text(found.mean, found.low, found.high, percent=True).replace(" %", "")


def _with(arm: str) -> str:
    return "Without a regulariser" if arm == NONE else f"With {arm}"


def _rise_told(rows: list[Row], arm: str) -> str:
    """How far an arm's validation loss rises again after its lowest point."""
    curves: dict[Any, list[float]] = {}
    for row in rows:
        if row["arm"] == arm and row.get("split") == "validation" and "epoch" in row and row["loss"] is not None:
            curves.setdefault(row["seed"], []).append(float(row["loss"]))
    if not curves:
        return ""
    rises = format_interval(summarise([curve[-1] - min(curve) for curve in curves.values()]))
    lowest = format_interval(summarise([float(curve.index(min(curve)) + 1) for curve in curves.values()]))
    return f"{_with(arm)} the validation loss is lowest at epoch {lowest} and rises by {rises} nats until the last."
