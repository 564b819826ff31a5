"""How long do eight seeds take by each way, beside eight times one seed, and how far is `auto` from the best way?

Wall time of the same epochs, one thread a process, interleaved; a seed trains for a second or so, so that processes
have to earn back their start, and can. Processes are measured a second time while another program keeps one core busy.
Then as many processes as there are cores, and the program, share the cores: N processes on N cores have N * N / (N + 1)
of them.
What the cores themselves give up to each other, in clock and caches, is seen in programs that share nothing: one of
them trains its part of the seeds, alone or while one on each other core does the same. And a stack spares the calls of
one seed after the other, but not their products: what share of its time these take is measured as well.
Run: `python -m bench.seeds_together`, on a machine that does nothing else
"""

import argparse
import multiprocessing
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from bench.product_clock import share_of_products
from bench.record import interleaved, wall_clock, write
from gradlab.augment import Normalize
from gradlab.models import MLP, LeNet, LogRegression, ResNet
from gradlab.objectives import classification
from gradlab.records.environment import available_cores
from gradlab.training import Place, Recipe, collect, fit

SEEDS = tuple(range(8))


@dataclass(frozen=True, slots=True)
class Case:
    """A network, the sides and channels of its images, and how long it trains."""

    make: Callable[[], nn.Module]
    shape: tuple[int, int, int]
    samples: int
    batch: int
    epochs: int


CASES = {
    "linear probe": Case(lambda: LogRegression(512, 10), (512, 1, 1), 6_000, 50, 45),
    "MLP 64-32-10": Case(lambda: MLP(64, 10, (32,)), (1, 8, 8), 6_000, 50, 40),
    "LogRegression": Case(LogRegression, (1, 28, 28), 6_000, 50, 40),
    "MLP 784-64-10": Case(lambda: MLP(784, 10, (64,)), (1, 28, 28), 6_000, 50, 20),
    "LeNet": Case(LeNet, (1, 28, 28), 2_000, 50, 2),
    "ResNet": Case(lambda: ResNet(10, (2, 2, 3), (16, 24, 32)), (3, 32, 32), 640, 128, 1),
}


def training(case: Case, epochs: int) -> Callable[[tuple[int, ...], str], None]:
    """Trains these seeds in this way."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (case.samples, *case.shape), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (case.samples,), generator=generator)
    normalize = Normalize((0.5,) * case.shape[0], (0.25,) * case.shape[0])

    def train(seeds: tuple[int, ...], way: str) -> None:
        recipe = Recipe(
            epochs=epochs,
            batch_size=case.batch,
            optimizer=lambda p: torch.optim.SGD(p, lr=0.01, fused=True),
        )
        data = (pixels, labels)
        collect(fit(case.make, data, classification, recipe, seeds=seeds, together=way, prepare=normalize,
                    place=Place()))  # fmt: skip

    return train


@cache
def _ready(network: str) -> Callable[[tuple[int, ...], str], None]:
    torch.set_num_threads(1)
    return training(CASES[network], CASES[network].epochs)


def _train_part(network: str, seeds: tuple[int, ...]) -> None:
    _ready(network)(seeds, "in a row")


def programs_at_once(network: str, rounds: int) -> dict[str, list[float]]:
    """Wall seconds in which one program trains its part of the seeds: alone, and beside one on each other core."""
    cores = available_cores()
    part = SEEDS[: max(1, len(SEEDS) // cores)]
    with ExitStack() as stack:
        context = multiprocessing.get_context("spawn")
        programs = [stack.enter_context(ProcessPoolExecutor(1, mp_context=context)) for _ in range(cores)]

        def train(of: Sequence[ProcessPoolExecutor]) -> None:
            for done in [program.submit(_train_part, network, part) for program in of]:
                done.result()

        train(programs)  # each has started before anything is measured
        variants = {"alone": lambda: train(programs[:1]), "at once": lambda: train(programs)}
        return interleaved(variants, rounds=rounds, clock=wall_clock)


def _count() -> None:
    number = 0
    while True:
        number += 1


@contextmanager
def busy_core() -> Iterator[None]:
    """Another program counts, on whichever core it is given."""
    other = multiprocessing.get_context("spawn").Process(target=_count, daemon=True)
    other.start()
    try:
        yield
    finally:
        other.kill()
        other.join()


def measured(network: str, rounds: int) -> dict[str, object]:
    """Wall seconds of each way, and its speed as a multiple of one seed after the other, in this very process."""
    case = CASES[network]
    train, briefly = training(case, case.epochs), training(case, max(1, case.epochs // 10))
    ways = ("in a row", "processes", "stacked", "auto")
    variants = {way: lambda way=way: train(SEEDS, way) for way in ways}
    times = interleaved(variants, rounds=rounds, clock=wall_clock)
    with busy_core():
        alone = {"one seed": lambda: train(SEEDS[:1], "in a row"), "processes": variants["processes"]}
        beside = interleaved(alone, rounds=rounds, clock=wall_clock)
    programs = programs_at_once(network, rounds)
    return {
        "wall_seconds": times,
        "stack_in_products_by_clock": share_of_products(lambda: briefly(SEEDS, "stacked")),
        "speed_to_in_a_row": {
            way: statistics.median(b / a for a, b in zip(times[way], times["in a row"], strict=True)) for way in ways
        },
        "beside_another_program": {
            "wall_seconds": beside,
            "processes_to_seeds_times_one": statistics.median(
                len(SEEDS) * b / a for a, b in zip(beside["processes"], beside["one seed"], strict=True)
            ),
        },
        "programs_that_share_nothing": {
            "wall_seconds": programs,
            "speed_to_one": statistics.median(
                available_cores() * a / b for a, b in zip(programs["alone"], programs["at once"], strict=True)
            ),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", default=list(CASES), choices=list(CASES))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    epochs = {name: case.epochs for name, case in CASES.items()}
    about = {"unit": "wall seconds", "seeds": len(SEEDS), "cores": available_cores(), "epochs": epochs}
    for name in asked.networks:
        found = measured(name, asked.rounds)
        print(
            name, found["speed_to_in_a_row"], write("seeds_together", about | {"networks": {name: found}}), flush=True
        )


if __name__ == "__main__":
    main()
