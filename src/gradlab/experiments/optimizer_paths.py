"""Which ways do SGD, momentum, RMSprop and Adam take through a ravine, and what does momentum gain?

Expect: on the handbook's surface, momentum and Adam run along the ravine (w2 < -7.5 with w1 near 0) while plain SGD,
with the same rate, is thrown from wall to wall; momentum ends at (-0.012, -13.073). In the bent valley of Rosenbrock,
even at its best rate, plain SGD stays far behind momentum: rates that fit the walls are too small for the floor.
Source: handbook, practical 1, "Optimizer"; the valley: Rosenbrock 1960, "An automatic method for finding the greatest
or least value of a function".
Command: `gradlab run optimizer_paths`
Cost: 3.8 s for 4 arms x 1 seed, float32, 2 cores (results/optimizer_paths.json).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradlab.optim import SGDMomentum, pathological_curve_loss, train_curve
from gradlab.records import Row, RunFolder
from gradlab.report import Answer, Block, Field, FieldChart, Heading, Path, SurfaceChart, Table, Text, line_chart
from gradlab.training import Run

Surface = Callable[[Tensor, Tensor], Tensor]
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD": torch.optim.SGD,
    "SGD with momentum": SGDMomentum,
    "RMSprop": torch.optim.RMSprop,
    "Adam": torch.optim.Adam,
}
GRID = 121
"""Points along each axis of a drawn surface."""
DEEP = -7.5
"""The w2 that the handbook asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that this experiment can vary."""

    updates: int = 100
    """on the handbook's surface"""
    start: tuple[float, ...] = (5.0, 5.0)
    """w1 and w2 before the first update there"""
    sgd_rate: float = 10.0
    """learning rate of plain SGD there"""
    momentum_rate: float = 10.0
    """learning rate of the handbook's SGD with momentum 0.9 there"""
    rmsprop_rate: float = 0.2
    """learning rate of RMSprop there"""
    adam_rate: float = 1.0
    """learning rate of Adam there"""
    valley_updates: int = 200
    """in Rosenbrock's valley"""
    valley_start: tuple[float, ...] = (-1.2, 1.0)
    """w1 and w2 before the first update there"""
    rates_per_decade: int = 4
    """learning rates tried there, from 0.0001 to 10; the best one of each optimiser is drawn"""


QUICK = Config(valley_updates=60, rates_per_decade=2)


def rosenbrock(w1: Tensor, w2: Tensor) -> Tensor:
    """A bent valley with steep walls and an almost level floor: (1 - w1)^2 + 100 (w2 - w1^2)^2, lowest at (1, 1)."""
    return (1 - w1) ** 2 + 100 * (w2 - w1**2) ** 2


def run(config: Config, run: Run) -> Iterator[Row]:
    """Follows every optimiser over both surfaces; nothing is drawn at random, so one seed tells all."""
    given = (config.sgd_rate, config.momentum_rate, config.rmsprop_rate, config.adam_rate)
    for name, rate in zip(OPTIMIZERS, given, strict=True):
        identity: Row = {"arm": name, "seed": run.seeds[0]}
        points = walk(name, pathological_curve_loss, rate, config.updates, config.start)
        w1, w2, loss = points[-1].tolist()
        yield from _steps({**identity, "surface": "ravine"}, points)
        yield {**identity, "split": "ravine", "w1": w1, "w2": w2, "loss": loss}
        walks = {tried: walk(name, rosenbrock, tried, config.valley_updates, config.valley_start)
                 for tried in _rates(config)}  # fmt: skip
        for tried, points in walks.items():
            yield {**identity, "surface": "valley", "learning_rate": tried, "loss": float(points[-1, 2])}
        best = min(walks, key=lambda tried: np.nan_to_num(walks[tried][-1, 2], nan=np.inf))
        yield from _steps({**identity, "surface": "valley"}, walks[best])
        yield {**identity, "split": "valley", "rate": best, "loss": float(walks[best][-1, 2])}


def walk(name: str, surface: Surface, rate: float, updates: int, start: Sequence[float]) -> np.ndarray:
    """w1, w2 and loss before each update and after the last, [updates + 1, 3]."""
    return train_curve(lambda weights: OPTIMIZERS[name](weights, lr=rate), surface, updates + 1, start)


def page(run: RunFolder) -> list[Block]:
    """The paths over both surfaces in two and three dimensions, where they end, and what each optimiser did."""
    rows, ends = run.rows(), run.document("results")["arms"]
    config = Config(**run.document("config")["config"])
    told = {name: _told(name, _points(rows, "ravine", name)) for name in OPTIMIZERS}
    slope = _field(pathological_curve_loss, _paths(rows, "ravine"), [(-6.0, 6.0)])
    bend = _field(rosenbrock, _paths(rows, "valley"), [(1.0, 1.0)])
    rates = {name: ends[name]["metrics"]["valley_rate"]["mean"] for name in OPTIMIZERS}
    start = _points(rows, "valley", "SGD")[0, 2]
    tried = [row for row in rows if "learning_rate" in row and row["loss"] is not None and row["loss"] < start]
    return [
        Answer(f"{told['SGD with momentum']} {told['SGD']} {_valley_told(rows)}"),
        Heading("The handbook's ravine"),
        FieldChart(slope, "Paths through the ravine", paths=_paths(rows, "ravine"), contours=(0.1, 0.3, 0.6, 1, 1.5)),
        SurfaceChart(slope, "The same paths on the surface", paths=_paths(rows, "ravine"), azimuth=-18, elevation=48),
        _table(rows, "ravine", {"SGD": config.sgd_rate, "SGD with momentum": config.momentum_rate,
                                "RMSprop": config.rmsprop_rate, "Adam": config.adam_rate}),
        Text("\n\n".join(told.values())),
        line_chart(_of(rows, "ravine"), x="step", y="loss", title="Loss along the paths", x_label="update"),
        Heading("Rosenbrock's valley"),
        FieldChart(bend, "Paths through the valley", paths=_paths(rows, "valley"), log=True,
                   contours=(1, 10, 100, 1000), caption="The lowest point is (1, 1)."),
        SurfaceChart(bend, "The same paths on the logarithm of the surface", paths=_paths(rows, "valley"), log=True,
                     azimuth=-20, elevation=50),
        _table(rows, "valley", rates),
        line_chart(tried, x="learning_rate", y="loss", log_x=True, log_y=True, title="Loss at the end by learning rate",
                   x_label="learning rate", y_label="loss after the last update",
                   caption="Rates that leave the loss above where it began are left out."),
        line_chart(_of(rows, "valley"), x="step", y="loss", log_y=True, title="Loss along the paths through the valley",
                   x_label="update"),
    ]  # fmt: skip


def _rates(config: Config) -> list[float]:
    return [float(f"{rate:.3g}") for rate in np.logspace(-4, 1, 5 * config.rates_per_decade + 1)]


def _steps(identity: Row, points: np.ndarray) -> Iterator[Row]:
    for step, (w1, w2, loss) in enumerate(points.tolist()):
        yield {**identity, "step": step, "w1": w1, "w2": w2, "loss": loss}


def _of(rows: Sequence[Row], surface: str) -> list[Row]:
    return [row for row in rows if "step" in row and row["surface"] == surface]


def _points(rows: Sequence[Row], surface: str, name: str) -> np.ndarray:
    return np.array([[row["w1"], row["w2"], row["loss"]] for row in _of(rows, surface) if row["arm"] == name], float)


def _paths(rows: Sequence[Row], surface: str) -> list[Path]:
    return [Path(name, _points(rows, surface, name)[:, :2], place) for place, name in enumerate(OPTIMIZERS)]


def _field(surface: Surface, paths: Sequence[Path], further: Sequence[tuple[float, float]]) -> Field:
    """The surface over a rectangle that holds all paths and some further points."""
    points = np.concatenate([*(path.points for path in paths), np.array(further)])
    margin = 0.06 * (points.max(axis=0) - points.min(axis=0))
    (left, low), (right, high) = points.min(axis=0) - margin, points.max(axis=0) + margin
    w1, w2 = torch.meshgrid(torch.linspace(left, right, GRID), torch.linspace(low, high, GRID), indexing="xy")
    heights = surface(w1, w2).numpy()
    return Field(values=heights, x=(float(left), float(right)), y=(float(low), float(high)), x_label="w1",
                 y_label="w2", label="loss")  # fmt: skip


def _crossings(w1: np.ndarray) -> int:
    """How often a path changes from one wall of the ravine to the other."""
    return int((np.sign(w1[1:]) * np.sign(w1[:-1]) < 0).sum())


def _told(name: str, points: np.ndarray) -> str:
    w1, w2, loss = points[-1]
    deep = np.flatnonzero(points[:, 1] < DEEP)
    reached = f"passes w2 = {DEEP} at update {deep[0]}" if len(deep) else f"never passes w2 = {DEEP}"
    return (
        f"In the ravine {name} ends at ({w1:.3f}, {w2:.3f}) with a loss of {loss:.3g} after {len(points) - 1} updates; "
        f"it changes walls {_crossings(points[:, 0])} times and {reached}."
    ).replace("-", "−")


def _valley_told(rows: Sequence[Row]) -> str:
    plain, momentum = (_points(rows, "valley", name)[-1, 2] for name in ("SGD", "SGD with momentum"))
    ahead = "less" if momentum < plain else "more"
    ratio = max(plain, momentum) / max(min(plain, momentum), 1e-30)
    return (
        f"In the valley, each at its best rate, momentum leaves a loss of {momentum:.2g} and plain SGD {plain:.2g}: "
        f"{ratio:.3g} times {ahead} with momentum."
    )


def _table(rows: Sequence[Row], surface: str, rates: dict[str, float]) -> Table:
    cells = []
    for name in OPTIMIZERS:
        points = _points(rows, surface, name)
        w1, w2, loss = points[-1]
        cells.append((name, *(text.replace("-", "−") for text in (f"{rates[name]:g}", f"{w1:.3f}", f"{w2:.3f}",
                                                                  f"{loss:.3g}"))))  # fmt: skip
    covered = ("ravine_w1", "ravine_w2", "ravine_loss") if surface == "ravine" else ("valley_rate", "valley_loss")
    caption = "After the last update; one path each, since nothing is random."
    return Table(("optimiser", "learning rate", "w1", "w2", "loss"), cells, caption, covered)
