"""How long do sixteen seeds take as one stack on a GPU, beside one seed, and is each still what it is on its own?

Wall time of steps, the GPU waited for, the ways taking turns. A round trains a few steps and then many; their
difference is the cost in a steady state. Then every seed's loss at each of the first steps, in the stack beside alone:
in float32 without TF32, whose rounding would hide what is asked, and in float64, where only a mistake leaves a
difference. Random pixels, binary ones for the VAE. Wanted: at most three times the time of one seed, and losses within
1e-5 (of their size: the VAE's are hundreds of nats, so that float32 itself has steps of 6e-5 there).

Run: `python -m bench.seeds_on_gpu`, not run yet; a trial without a GPU, which leaves no file:
`python -m bench.seeds_on_gpu --device cpu --seeds 2 --steps 3 --rounds 1`
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from bench.handbook_loop import NETWORKS as OF_THE_PRACTICALS
from bench.record import interleaved, wall_clock, write
from gradlab.augment import Binarize, Normalize, Transform
from gradlab.models import VariationalAutoencoder
from gradlab.objectives import classification, negative_elbo
from gradlab.training import PRECISIONS, Place, Recipe, collect, fit
from gradlab.training.recipe import MakeOptimizer
from gradlab.training.task import Objective
from gradlab.training.ticker import wait_for

BATCH = 128
SHORT = 10
"""The steps of the long training to one of the short one."""


@dataclass(frozen=True, slots=True)
class Case:
    """A network, what it is trained on, and how."""

    make: Callable[[], nn.Module]
    shape: tuple[int, int, int]
    objective: Objective
    optimizer: MakeOptimizer
    prepare: Transform


def _classifier(network: str) -> Case:
    optimizer = partial(torch.optim.SGD, lr=0.01, momentum=0.9, weight_decay=1e-4)
    normalize = Normalize((0.5,) * 3, (0.25,) * 3)
    return Case(OF_THE_PRACTICALS[network], (3, 32, 32), classification, optimizer, normalize)


DIGIT = (1, 28, 28)
CASES = {
    **{name: _classifier(name) for name in ("MLP", "ResNet", "ViT")},
    "VAE": Case(lambda: VariationalAutoencoder(DIGIT, 10), DIGIT, negative_elbo,
                partial(torch.optim.Adam, lr=1e-3), Binarize(DIGIT)),
}  # fmt: skip


def rows_of(case: Case, place: Place, seeds: Sequence[int], steps: int, *, window: int | None = None) -> list[dict]:
    """Trains seeds for one epoch of so many steps, several as one stack, and waits until the device is done."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (steps * BATCH, *case.shape), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (len(pixels),), generator=generator)
    recipe = Recipe(epochs=1, batch_size=BATCH, optimizer=case.optimizer, window=window)
    together = "stacked" if len(seeds) > 1 else "in a row"
    rows, _trained = collect(
        fit(case.make, (pixels, labels), case.objective, recipe, seeds=seeds, together=together,
            prepare=case.prepare, place=place)
    )  # fmt: skip
    wait_for(place.device)
    return rows


def losses(case: Case, place: Place, seeds: Sequence[int], steps: int) -> Tensor:
    """The loss of each seed at each step: [seeds, steps]."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        rows = rows_of(case, place, seeds, steps, window=1)
    of_seed = [[row["loss"] for row in rows if row["seed"] == seed and "step" in row] for seed in seeds]
    return torch.tensor(of_seed, dtype=torch.float64)


def differences(case: Case, place: Place, seeds: Sequence[int], steps: int) -> dict[str, list[float]]:
    """For each seed, how far its loss in the stack is from its loss alone; see `farthest`."""
    alone = torch.cat([losses(case, place, [seed], steps) for seed in seeds])
    return farthest(losses(case, place, seeds, steps), alone)


def farthest(stacked: Tensor, alone: Tensor) -> dict[str, list[float]]:
    """For each seed the largest distance at any step: in the loss's own unit, and as a share of the loss alone."""
    distances = (stacked - alone).abs()
    return {name: values.amax(dim=1).tolist() for name, values in
            {"in loss": distances, "as a share": distances / alone.abs()}.items()}  # fmt: skip


def timed(case: Case, place: Place, seeds: Sequence[int], steps: int, rounds: int) -> dict[str, object]:
    """Wall seconds of trainings, and how many times as long as a step of one seed a step of all takes."""
    short = max(1, steps // SHORT)
    variants = {
        f"{name}, {count} steps": partial(rows_of, case, place, group, count)
        for name, group in (("one seed", seeds[:1]), ("all seeds", seeds))
        for count in (short, steps)
    }
    times = interleaved(variants, rounds=rounds, clock=wall_clock)
    steady = {}
    for name in ("one seed", "all seeds"):
        rounds_of = zip(times[f"{name}, {short} steps"], times[f"{name}, {steps} steps"], strict=True)
        steady[name] = [(long - begin) / (steps - short) * 1e3 for begin, long in rounds_of]
    return {
        "wall_seconds": times,
        "milliseconds_a_step": {name: statistics.median(values) for name, values in steady.items()},
        "all_to_one": statistics.median(a / b for a, b in zip(steady["all seeds"], steady["one seed"], strict=True)),
    }


def measured(case: Case, place: Place, seeds: Sequence[int], steps: int, rounds: int) -> dict[str, object]:
    """The times in the place's precision, and the differences in float32 and float64."""
    apart = {
        precision: differences(case, Place(device=place.device, precision=precision), seeds, steps)
        for precision in ("float32", "float64")
    }
    return {
        **timed(case, place, seeds, steps, rounds),
        "loss_differences": apart,
        "largest_difference": {
            precision: {unit: max(values) for unit, values in found.items()} for precision, found in apart.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="float32", choices=PRECISIONS)
    parser.add_argument("--seeds", type=int, default=16, help="how many, at least 2")
    parser.add_argument("--steps", type=int, default=100, help="at least 2")
    parser.add_argument("--networks", nargs="+", default=list(CASES), choices=list(CASES))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    place, found = Place(device=asked.device, precision=asked.precision), {}
    for name in asked.networks:
        found[name] = measured(CASES[name], place, range(asked.seeds), asked.steps, asked.rounds)
        told = {key: found[name][key] for key in ("all_to_one", "milliseconds_a_step", "largest_difference")}
        print(name, told, flush=True)
    if torch.device(asked.device).type == "cpu":
        return
    device = torch.cuda.get_device_name(asked.device)
    about = {"unit": "wall seconds", "seeds": asked.seeds, "steps": asked.steps, "batch": BATCH, "device": device,
             "precision": asked.precision, "networks": found}  # fmt: skip
    print(write("seeds_on_gpu", about, processor=device))


if __name__ == "__main__":
    main()
