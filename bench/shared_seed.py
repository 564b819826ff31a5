"""Do two processes that share every batch of one seed make the steps of one process, and how long do they take?

A residual network with the batch of practical 2 and SimCLR with that of practical 5, each trained by one process and by
two that talk over gloo. Speed: images a second in single precision, what a longer training takes more than a shorter
one. Agreement: the largest distance of a weight after some steps in double precision, beside the largest that a weight
has moved. Random pixels.

Run: `python -m bench.shared_seed`, on a machine that does nothing else
"""

import argparse
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.handbook_loop import images_a_second
from bench.record import write
from gradlab import rng
from gradlab.augment import (
    ContrastiveTransformations,
    Normalize,
    Pipeline,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Transform,
    simclr_augmentation,
)
from gradlab.models import BaseNetwork, ResNet, SimCLR
from gradlab.objectives import classification, info_nce
from gradlab.records.environment import available_cores
from gradlab.training import Place, Ranks, Recipe, collect, fit, joined
from gradlab.training.task import Objective

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Case:
    """A network, what it minimises, its views and batch, and the steps of a short and a long training."""

    make: Callable[[], nn.Module]
    objective: Objective
    prepare: Transform
    batch: int
    steps: tuple[int, int]
    optimizer: Callable[..., torch.optim.Optimizer]
    side: int = 32


NATURAL = Pipeline(
    [
        RandomHorizontalFlip(),
        RandomResizedCrop(32, scale=(0.8, 1.0), ratio=(0.9, 1.1)),
        Normalize((0.5,) * 3, (0.25,) * 3),
    ]
)
CASES = {
    "ResNet": Case(
        lambda: ResNet(10, (2, 2, 3), (16, 24, 32)), classification, NATURAL, 128, (2, 12),
        partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=1e-4),
    ),
    "SimCLR": Case(
        lambda: SimCLR(BaseNetwork(3, 32, 512)), partial(info_nce, temperature=0.07),
        ContrastiveTransformations(simclr_augmentation()), 256, (2, 8),
        partial(torch.optim.AdamW, lr=5e-4, weight_decay=1e-4),
    ),
}  # fmt: skip


def trained(case: Case, steps: int, place: Place) -> dict[str, Tensor]:
    """Weights and running statistics after so many steps of one epoch."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (steps * case.batch, 3, case.side, case.side), dtype=torch.uint8, generator=draw)
    labels = torch.randint(0, 10, (len(pixels),), generator=draw)
    recipe = Recipe(epochs=1, batch_size=case.batch, optimizer=case.optimizer)
    _, found = collect(
        fit(case.make, (pixels, labels), case.objective, recipe, seeds=(0,), prepare=case.prepare, place=place)
    )
    return found.models[0].state_dict()


def by_one(case: Case, steps: int, precision: Any = "float32") -> list[dict[str, Tensor]]:
    """What the only process ends with."""
    return [trained(case, steps, Place(precision=precision))]


def by_two(case: Case, steps: int, precision: Any = "float32") -> list[dict[str, Tensor]]:
    """What each of the processes that share each batch ends with."""
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        pipes = [fork.Pipe(duplex=False) for _ in range(PROCESSES)]
        started = [
            fork.Process(target=_one_of, args=(rank, Path(folder) / "store", case, steps, precision, sender))
            for rank, (_receiver, sender) in enumerate(pipes)
        ]
        for process, (_receiver, sender) in zip(started, pipes, strict=True):
            process.start()
            sender.close()
        weights = [receiver.recv() for receiver, _sender in pipes]
        for process in started:
            process.join()
    return [{name: torch.from_numpy(array) for name, array in each.items()} for each in weights]


def _one_of(rank: int, store: Path, case: Case, steps: int, precision: Any, sender: Connection) -> None:
    torch.set_num_threads(1)
    ranks = Ranks(rank, PROCESSES)
    with joined(ranks, f"file://{store}"):
        weights = trained(case, steps, Place(precision=precision, ranks=ranks))
        sender.send({name: tensor.numpy() for name, tensor in weights.items()})


def speeds(case: Case, rounds: int) -> dict[str, list[float]]:
    """Images a second of one process and of two, in turn, after a round that warms up and is thrown away."""
    found: dict[str, list[float]] = {"one process": [], "two processes": []}
    for turn in range(rounds + 1):
        for way, train in zip(found, (by_one, by_two), strict=True):
            _, by_the_wall = images_a_second(partial(train, case), case.steps, case.batch)
            if turn:
                found[way].append(by_the_wall)
    return found


def agreement(case: Case) -> dict[str, float]:
    """How far from one process either of two ends, in weights and running statistics, and how far a weight moved."""
    steps = case.steps[0]
    with rng.global_stream(0, "initial weights"):
        begun = case.make().double().state_dict()
    (alone,), shared = by_one(case, steps, "float64"), by_two(case, steps, "float64")
    return {
        "steps": steps,
        "apart": max(farthest(alone, each) for each in shared),
        "moved": farthest(alone, {name: begun[name] for name, _ in case.make().named_parameters()}),
    }


def farthest(state: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The largest distance of a number of one state from the same number of another, over the names of the other."""
    return max((state[name] - tensor).abs().max().item() for name, tensor in other.items())


def measured(case: Case, rounds: int) -> dict[str, object]:
    """Speed of both, and how far they agree."""
    found = speeds(case, rounds)
    ratios = [two / one for one, two in zip(*found.values(), strict=True)]
    return {
        "batch": case.batch,
        "images_per_second": found,
        "median_ratio": statistics.median(ratios),
        "float64": agreement(case),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for name, case in CASES.items():
        found[name] = measured(case, asked.rounds)
        print(name, found[name], flush=True)
    about = {"processes": PROCESSES, "cores": available_cores(), "unit": "wall seconds", "networks": found}
    print(write("shared_seed", about))


if __name__ == "__main__":
    main()
