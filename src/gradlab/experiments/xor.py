"""Can a network with four hidden units learn exclusive or, which no line through the plane can separate?

Expect: yes, every test point, since noise of 0.1 leaves the four clouds five standard deviations apart from their
borders. The boundary is two curves that cut off the corners (0, 1) and (1, 0), or those of the other class.
Source: handbook, introduction to PyTorch, "Learning by example: continuous XOR" to "TensorBoard logging".
Command: `gradlab run xor`
Cost: 5.1 s for 1 arm x 3 seeds, float32, 2 cores (results/xor.json).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from gradlab import rng
from gradlab.data import XORDataset
from gradlab.evaluation import as_model_takes
from gradlab.explain import layer_table
from gradlab.models import SimpleClassifier
from gradlab.objectives import binary_classification
from gradlab.records import Row, RunFolder
from gradlab.report import (
    Answer,
    Block,
    Field,
    FieldChart,
    PointSet,
    ScatterChart,
    Table,
    Text,
    accuracy_of,
    figure_png,
    line_chart,
    percent,
    point_sets,
)
from gradlab.training import Recipe, Run, Selection

ARM = "one hidden layer"
CLASSES = ("0", "1")
SPAN = (-0.5, 1.5)
"""The part of the plane that is drawn, the same for both inputs, as in the handbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    train_points: int = 2500
    """points to learn from"""
    validation_points: int = 500
    """points that choose the epoch"""
    test_points: int = 500
    """points that are read once"""
    noise: float = 0.1
    """standard deviation on each coordinate"""
    hidden: int = 4
    """units of the hidden layer"""
    epochs: int = 100
    """passes over the training points"""
    batch_size: int = 128
    """points a step"""
    learning_rate: float = 0.1
    """of plain stochastic gradient descent"""
    grid: int = 101
    """points along each axis of the picture of the boundary"""


QUICK = Config(train_points=640, epochs=60, learning_rate=0.5, grid=51)


def network(config: Config, _arm: str, shape: tuple[int, ...], _classes: int) -> SimpleClassifier:
    """The network of the only arm: one logit for both classes."""
    return SimpleClassifier(shape[0], config.hidden, 1)


def draw_points(config: Config) -> dict[str, XORDataset]:
    """The three parts, each from a stream of its own, the same for every seed."""
    sizes = {"train": config.train_points, "validation": config.validation_points, "test": config.test_points}
    return {part: XORDataset(size, config.noise, generator=rng.generator(0, f"xor {part}"))
            for part, size in sizes.items()}  # fmt: skip


def measure(model: nn.Module, points: XORDataset) -> dict[str, float]:
    """The mean cross entropy in nats and the share of points on the right side."""
    with torch.no_grad():
        loss, sums = binary_classification(
            model, as_model_takes(model, points.data), as_model_takes(model, points.label)
        )
    return {"loss": float(loss), "accuracy": int(sums["accuracy"]) / len(points)}


def probabilities(model: nn.Module, grid: int) -> np.ndarray:
    """The probability of class 1 over the drawn part of the plane, [grid, grid]: a row for each x2, from below."""
    places = torch.linspace(*SPAN, grid)
    x1, x2 = torch.meshgrid(places, places, indexing="xy")
    with torch.no_grad():
        return (
            model(as_model_takes(model, torch.stack([x1, x2], dim=-1).view(-1, 2))).sigmoid().view(grid, grid).numpy()
        )


def run(config: Config, run: Run) -> Iterator[Row]:
    """Trains with the handbook's settings; keeps the weights that validate best and tests those once."""
    parts = draw_points(config)
    run.describe_data("continuous exclusive or", kind="points", shape=(2,), classes=CLASSES,
                      sizes={part: len(points) for part, points in parts.items()})  # fmt: skip
    recipe = Recipe(
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=partial(torch.optim.SGD, lr=config.learning_rate),
        select=Selection(metric="loss", best="smallest"),
    )
    trained = yield from run.fit(
        ARM,
        lambda: network(config, ARM, (2,), 1),
        (parts["train"].data, parts["train"].label),
        binary_classification,
        recipe,
        measure={"validation": partial(measure, points=parts["validation"])},
    )
    models = {seed: model.cpu() for seed, model in trained.models.items()}
    fields = {f"seed_{seed}": probabilities(model, config.grid) for seed, model in models.items()}
    arrays = {**fields, "points": parts["test"].data.numpy(), "labels": parts["test"].label.numpy()}
    run.keep_arrays(ARM, arrays)
    first = next(iter(models))
    run.show_picture(ARM, first, "predictions", figure_png(_boundary(arrays, first)))
    for seed, model in models.items():
        for split in ("validation", "test"):
            yield {"arm": ARM, "seed": seed, "split": split, **measure(model, parts[split])}


def page(run: RunFolder) -> list[Block]:
    """How many points are classified right, where the boundary lies, and how the network came to it."""
    rows, results, arrays = run.rows(), run.document("results"), run.arrays(ARM)
    config = Config(**run.document("config")["config"])
    layers = layer_table(network(config, ARM, (2,), 1), (2,))
    both = {"split": ["train", "validation"]}
    return [
        Answer(f"On the test points the network is right for {accuracy_of(results, ARM)}. {_seeds_told(results)}"),
        _boundary(arrays, results["arms"][ARM]["seeds"][0]),
        ScatterChart(_points(arrays), "The test points", x_label="x1", y_label="x2", equal=True,
                     caption="Two random bits with noise; the class is 1 where exactly one of the bits is."),
        line_chart(rows, y="loss", where=both, log_y=True, title="Loss over epochs", y_label="cross entropy, nats"),
        line_chart(rows, where=both, percent=True, title="Accuracy over epochs"),
        Table(("layer", "kind", "parameters", "output, one point"),
              tuple((layer.name, layer.kind, str(layer.parameters), layer.output) for layer in layers),
              caption=f"{sum(layer.parameters for layer in layers)} trainable parameters in all."),
        Text("One linear layer draws one straight line, and no line has both corners of a class on its side. The "
             "hidden units draw a soft line each, and the output adds them up. The weights are those of the epoch with "
             "the smallest validation loss."),
    ]  # fmt: skip


def _points(arrays: dict[str, np.ndarray]) -> tuple[PointSet, ...]:
    return point_sets(arrays["points"], arrays["labels"], [f"class {name}" for name in CLASSES])


def _boundary(arrays: dict[str, np.ndarray], seed: int) -> FieldChart:
    field = Field(values=arrays[f"seed_{seed}"], x=SPAN, y=SPAN, x_label="x1", y_label="x2",
                  label="probability of class 1")  # fmt: skip
    return FieldChart(
        field,
        f"What the network of seed {seed} says of every point",
        middle=0.5,
        limits=(0, 1),
        percent=True,
        contours=(0.5,),
        points=_points(arrays),
        equal=True,
        caption="Test points over the network's answer; along the line it cannot decide.",
    )


def _seeds_told(results: dict) -> str:
    arm = results["arms"][ARM]
    found = dict(zip(arm["seeds"], arm["metrics"]["test_accuracy"]["values"], strict=True))
    missed = [
        f"seed {seed} {percent(1 - value, 1)}" for seed, value in found.items() if value is not None and value < 1
    ]
    whole = f"{len(found) - len(missed)} of {len(found)} seeds make no mistake"
    return f"{whole}; wrong points: {', '.join(missed)}." if missed else f"{whole}."
