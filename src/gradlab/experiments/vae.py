"""What does a variational autoencoder learn of handwritten digits, with few numbers in a code and with more?

Expect: two numbers arrange the classes in the plane and give blurred digits; ten explain an image much better, to a
test bound of -107 nats or more with the handbook's small network. A divergence that counts four times (beta 4) makes
codes say less: the divergence falls, the reconstruction gets worse, and so does the bound.
Pixels are binary: 1 with the probability of their brightness. Training draws them anew each epoch; validation and test
images are drawn once, the same for all seeds and arms. Bounds for images thresholded at one half, for one draw that is
kept for training, or for grey pixels are other numbers and must not be held beside these.
Source: cheat-sheet, "Variational Autoencoder", which leaves binarisation and training open; Kingma and Welling 2014,
"Auto-encoding variational Bayes"; Higgins et al. 2017, "beta-VAE"; Burda, Grosse and Salakhutdinov 2016, "Importance
weighted autoencoders", for the binarisation and the importance-weighted bound.
Command: `gradlab run vae`; a curve of rate and distortion: `gradlab run vae --dimensions 10 --betas 1 0.5 2 4 8`
Cost: 1 h 7 min for 4 arms x 3 seeds, float32, 2 cores (results/vae.json).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradlab import rng
from gradlab.augment import Binarize
from gradlab.data import Images
from gradlab.errors import UsageError
from gradlab.evaluation import (
    ACTIVE_VARIANCE,
    active_dimensions,
    examine_codes,
    importance_weighted_elbo,
    measure_evidence,
)
from gradlab.models import VariationalAutoencoder
from gradlab.objectives import negative_elbo
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Details,
    Pictures,
    PointSet,
    ScatterChart,
    Table,
    best_validated,
    cell,
    line_chart,
    measured_arms,
    mosaic,
    percent,
    point_sets,
    ties_told,
    value_of,
    values_by_seed,
)
from gradlab.training import Recipe, Run, Selection, schedules

BOUND = {"test_elbo": "ELBO", "test_log_px": "log p(x|z)", "test_kl": "KL divergence"}
FURTHER = {"test_importance_weighted_elbo": "importance-weighted bound", "test_active_dimensions": "active dimensions"}
"""What is measured on test images, and what the page calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    data: str = "mnist"
    """dataset of grey images"""
    dimensions: tuple[int, ...] = (10, 2)
    """numbers in a code; the first, with the first beta, is the arm that the others are held against"""
    betas: tuple[float, ...] = (1.0, 4.0)
    """weights of the divergence in the loss; 1 trains the evidence lower bound itself"""
    epochs: int = 16
    """passes over the training split"""
    batch_size: int = 128
    """images a step"""
    learning_rate: float = 0.003
    """of Adam, the highest along the one cycle"""
    rise: float = 0.1
    """share of the steps in which the learning rate rises"""
    importance_samples: int = 50
    """codes an image in the importance-weighted bound, for test images only"""


QUICK = Config(data="digits", dimensions=(4, 2), betas=(1.0,), epochs=10, batch_size=32, learning_rate=0.005,
               importance_samples=10)  # fmt: skip


def arms(config: Config) -> dict[str, tuple[int, float]]:
    """Arm -> numbers in a code, and beta."""
    return {
        f"{size} dimension{'s' * (size != 1)}" + (f", beta {beta:g}" if beta != 1 else ""): (size, beta)
        for size in config.dimensions
        for beta in config.betas
    }


def network(config: Config, arm: str, shape: tuple[int, ...], _classes: int) -> VariationalAutoencoder:
    """The handbook's network, with as many numbers in a code as the arm has."""
    return VariationalAutoencoder(shape, arms(config)[arm][0])


def recipe(config: Config, samples: int) -> Recipe:
    """Adam along one cycle; the weights of the epoch with the best bound on validation images."""
    steps = config.epochs * (samples // config.batch_size)
    return Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.Adam, lr=config.learning_rate),
        schedule=schedules.one_cycle(steps=max(2, steps), rise=config.rise),
        drop_last=True,
        select=Selection(metric="elbo"),
    )


def drawn_once(images: Images, part: str) -> Tensor:
    """A split's binary images [images, 1, height, width], the same for every seed, arm and run."""
    binarize = Binarize(images.pixels.shape[1:])
    return binarize(
        images.pixels, torch.rand(len(images), binarize.uniforms, generator=rng.generator(0, f"{part} bits"))
    )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains every arm, keeps the weights with the best bound on validation images, and tests those once."""
    splits = run.load(config.data)
    if splits.shape[0] != 1:
        raise UsageError(f"vae explains grey images of one channel: {splits.name} has {splits.shape[0]}")
    validation, test = drawn_once(splits.validation, "validation"), drawn_once(splits.test, "test")
    for arm, (_size, beta) in arms(config).items():
        trained = yield from run.fit(
            arm,
            lambda arm=arm: network(config, arm, splits.shape, len(splits.classes)),
            (splits.train.pixels, splits.train.labels),
            partial(negative_elbo, beta=beta),
            recipe(config, len(splits.train)),
            prepare=Binarize(splits.shape),
            measure={"validation": partial(measure_evidence, images=validation)},
        )
        models = {seed: model for seed, model in trained.models.items() if isinstance(model, VariationalAutoencoder)}
        for seed, model in models.items():
            rng.start_stream(seed, "test codes")
            found = measure_evidence(model, test)
            found["importance_weighted_elbo"] = importance_weighted_elbo(model, test, config.importance_samples)
            found["active_dimensions"] = float(active_dimensions(model, test))
            yield {"arm": arm, "seed": seed, "split": "test", **found}
        if models:
            seed = next(iter(models))
            run.keep_arrays(arm, examine_codes(models[seed], test, splits.test.labels, seed))


def page(run: RunFolder) -> list[Block]:
    """The bounds and their parts, how they were reached, and what the networks draw."""
    rows, results = run.rows(), run.document("results")
    config = Config(**run.document("config")["config"])
    both = {"split": ["train", "validation"]}
    first = 2 if config.epochs > 2 else 1  # the first epoch's fall would leave no height for the rest
    later = [row for row in rows if int(row.get("epoch") or 0) >= first]
    told = f"From epoch {first} on; training values are running means over the epoch."
    found = measured_arms(results, "test_elbo")
    kept = {arm: arrays for arm in found if (arrays := run.arrays(arm))}
    classes = run.document("environment")["data"]["classes"]
    return [
        Answer(_answer(run, results)),
        _table(results, BOUND, "Test images, in nats, with the 95 % interval over seeds; ELBO = log p(x|z) − KL."),
        _rate_and_distortion(results),
        *(line_chart(later, y=name, where=both, title=f"{title} over epochs", y_label=f"{title}, nats", caption=told)
          for name, title in (("elbo", "ELBO"), ("log_px", "log p(x|z)"), ("kl", "KL divergence"))),
        _further(results, config),
        *_reconstructions(kept, classes),
        *_planes(kept, classes),
    ]  # fmt: skip


def _answer(run: RunFolder, results: dict[str, Any]) -> str:
    found = measured_arms(results, "test_elbo")
    if not found:
        return "Nothing was measured on the test split."
    best = best_validated(run, found, metric="elbo")
    bound, log_px, kl = (value_of(results, best, name) for name in ("test_elbo", "test_log_px", "test_kl"))
    others = "; ".join(f"{arm}: {value_of(results, arm, 'test_elbo')}" for arm in found if arm != best)
    return (
        f"The arm that validates best, {best}, explains a test image with an evidence lower bound (ELBO) of {bound} "
        f"nats: reconstruction {log_px}, less a divergence from the prior of {kl}. "
        + (f"The others: {others}. " if others else "")
        + ties_told(run, found, metric="elbo")
    ).strip()


def _table(results: dict[str, Any], columns: dict[str, str], caption: str) -> Table:
    found = {arm: results["arms"][arm] for arm in measured_arms(results, "test_elbo")}
    cells = [(arm, *(cell(about, name) for name in columns)) for arm, about in found.items()]
    return Table(("arm", *columns.values()), cells, caption, metrics=tuple(columns))


def _further(results: dict[str, Any], config: Config) -> Table:
    bounds = {arm: [results["arms"][arm]["metrics"][name]["mean"] for name in ("test_importance_weighted_elbo",
              "test_elbo")] for arm in measured_arms(results, "test_elbo")}  # fmt: skip
    gaps = ", ".join(f"{tighter - elbo:.1f} nats for {arm}" for arm, (tighter, elbo) in bounds.items())
    told = (
        f"The importance-weighted bound takes {config.importance_samples} codes an image and is tighter than the ELBO, "
        f"by {gaps}. A dimension is active if its posterior mean varies over images by more than {ACTIVE_VARIANCE:g}."
    )
    return _table(results, FURTHER, told)


def _rate_and_distortion(results: dict[str, Any]) -> ScatterChart:
    sets = []
    for place, (arm, about) in enumerate(results["arms"].items()):
        kl, log_px = (list(values_by_seed(about, name).values()) for name in ("test_kl", "test_log_px"))
        sets.append(PointSet(arm, np.array([kl, log_px]).T.reshape(-1, 2) * (1, -1), place))
    return ScatterChart(
        [group for group in sets if len(group.points)],
        "Rate and distortion on test images",
        x_label="rate: KL divergence, nats",
        y_label="distortion: −log p(x|z), nats",
        caption="A point a seed. Rate and distortion add up to −ELBO: further to the lower left is better, and along a "
        "line that falls by 1 nat for each nat to the right the bound stays the same.",
    )


def _reconstructions(kept: dict[str, dict[str, np.ndarray]], classes: Sequence[str]) -> list[Block]:
    """Images beside their reconstructions, the way between two of them, and draws, from each arm's first seed."""
    if not kept:
        return []
    first = next(iter(kept.values()))
    below = f"from top to bottom: {'; '.join(kept)}"
    columns = zip(first["originals"], *(arrays["reconstructions"] for arrays in kept.values()), strict=True)
    ways = zip(*(arrays["way"] for arrays in kept.values()), strict=True)
    shares = np.linspace(0, 1, len(first["way"]))
    return [
        Pictures(np.stack([mosaic(np.stack(column), 1) for column in columns]), classes, "Test images reconstructed",
                 columns=len(classes), caption=f"From posterior means. The binary image is above; below it, {below}."),
        Pictures(np.stack([mosaic(np.stack(column), 1) for column in ways]), [percent(share) for share in shares],
                 f"From a {classes[0]} to a {classes[-1]}", columns=len(shares),
                 caption=f"Along the straight line between the posterior means of two test images, {below}."),
        Pictures(np.stack([mosaic(arrays["samples"], 8) for arrays in kept.values()]), list(kept), "New images",
                 columns=2, caption="From codes drawn from the prior; brightness is the probability of a white pixel."),
    ]  # fmt: skip


def _planes(kept: dict[str, dict[str, np.ndarray]], classes: Sequence[str]) -> list[Block]:
    """For codes of two numbers: where the classes lie, and what the decoder draws all over the plane."""
    blocks: list[Block] = []
    for arm, arrays in kept.items():
        if "manifold" not in arrays:
            continue
        codes = point_sets(arrays["codes"], arrays["labels"], classes)
        side = round(len(arrays["manifold"]) ** 0.5)
        shown: list[Block] = [
            ScatterChart(codes, f"Where test images lie: {arm}", x_label="first number of the code", equal=True,
                         y_label="second number of the code",
                         caption=f"Posterior means of {len(arrays['codes']):,} test images, first seed."),
            Pictures(mosaic(arrays["manifold"], side)[None], [arm], f"What lies where: {arm}", columns=1,
                     caption="Decoded from a grid over the plane, evenly spaced in quantiles of the prior: the first "
                             "number rises to the right, the second upwards."),
        ]  # fmt: skip
        blocks += [Details(f"The plane of {arm}", shown)] if blocks else shown
    return blocks
