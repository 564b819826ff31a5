"""How fast does gradlab train beside a loop written by hand, and beside Fabric and Lightning?

The loop by hand is what an engineer writes in ten minutes: normalised float images in one tensor, batches by index,
loss and right answers summed as tensors, nothing else. Fabric and Lightning are given the same batches. gradlab keeps
uint8 images and normalises each batch. Same network, batch size and optimiser; random pixels. A round trains a few
steps and then many; their difference is the cost in a steady state. Processor time beside wall time, 1 thread. Each way
has a process of its own, as it would have in use: gradlab's keeps freed memory, as `gradlab run` does, and what one
allocates is not there for the next. The processes take turns; while one works the others wait.

Run: `python -m bench.bare_loop`; for Fabric and Lightning install `pip install -e '.[bench]'` first
"""

import argparse
import contextlib
import multiprocessing
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.gradlab_loop import train_by_gradlab
from bench.handbook_loop import NETWORKS as OF_THE_PRACTICALS
from bench.handbook_loop import images_a_second
from bench.record import absent, write
from gradlab.augment import Normalize
from gradlab.models import GoogleNet, LeNet, LogRegression, RNNModel
from gradlab.objectives import classification
from gradlab.training import keep_freed_memory
from gradlab.training.arithmetic import bfloat16_helps

SAMPLES = 20_000


@dataclass(frozen=True, slots=True)
class Case:
    """A network with the images and batches it is trained on, and the steps of a short and of a long training."""

    make: Callable[[], nn.Module]
    shape: tuple[int, int, int]
    batch: int
    steps: tuple[int, int]


SMALL, COLOUR = (1, 28, 28), (3, 32, 32)
CASES = {
    "LogRegression": Case(LogRegression, SMALL, 50, (20, 400)),
    "LeNet": Case(LeNet, SMALL, 50, (10, 90)),
    "MLP": Case(OF_THE_PRACTICALS["MLP"], COLOUR, 128, (10, 150)),
    "ResNet": Case(OF_THE_PRACTICALS["ResNet"], COLOUR, 128, (2, 14)),
    "GoogleNet": Case(lambda: GoogleNet(10), COLOUR, 128, (1, 4)),
    "ViT": Case(OF_THE_PRACTICALS["ViT"], COLOUR, 128, (2, 20)),
    "G-CNN": Case(OF_THE_PRACTICALS["G-CNN"], COLOUR, 64, (1, 6)),
    "RNN": Case(lambda: nn.Sequential(nn.Flatten(1, 2), RNNModel(28, 100, 10)), SMALL, 100, (10, 90)),
}


def optimizer(parameters) -> torch.optim.Optimizer:
    """The practicals' optimiser."""
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=1e-4, fused=True)


def by_hand(case: Case, images: Tensor, labels: Tensor, steps: int) -> None:
    """The loop of ten minutes."""
    model = case.make()
    stepper = optimizer(model.parameters())
    loss_sum, right = torch.zeros(()), torch.zeros((), dtype=torch.long)
    order = torch.randperm(len(images))
    for start in range(0, steps * case.batch, case.batch):
        rows = order[start : start + case.batch]
        inputs, targets = images.index_select(0, rows), labels.index_select(0, rows)
        stepper.zero_grad()
        predicted = model(inputs)
        loss = F.cross_entropy(predicted, targets)
        loss.backward()
        stepper.step()
        loss_sum += loss.detach() * len(targets)
        right += (predicted.argmax(1) == targets).sum()


def variants_of(case: Case, pixels: Tensor, labels: Tensor) -> dict[str, Callable[[int], None]]:
    """Each way to train, by name; the argument is the number of steps."""
    images = (pixels.float() / 255 - 0.5) / 0.25
    normalize = Normalize((0.5,) * case.shape[0], (0.25,) * case.shape[0])
    ours = partial(train_by_gradlab, case.make, pixels, labels, classification, optimizer, normalize, case.batch)
    variants: dict[str, Callable[[int], None]] = {
        "by hand": partial(by_hand, case, images, labels),
        "gradlab": partial(ours, "float32"),
    }
    if bfloat16_helps():
        variants["gradlab, bfloat16"] = partial(ours, "bfloat16")
    if absent("lightning"):
        return variants
    from bench.lightning_loops import Batches, by_fabric, by_trainer

    def batches(steps: int) -> Batches:
        return Batches(images, labels, case.batch, steps)

    return variants | {
        "Fabric": lambda steps: by_fabric(case.make(), optimizer, batches(steps)),
        "Lightning, barebones": lambda steps: by_trainer(case.make(), optimizer, batches(steps), barebones=True),
        "Lightning": lambda steps: by_trainer(case.make(), optimizer, batches(steps), barebones=False),
    }


@cache
def ready(network: str) -> dict[str, Callable[[int], None]]:
    """The ways to train a network, in this process."""
    torch.set_num_threads(1)
    case = CASES[network]
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (SAMPLES, *case.shape), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (SAMPLES,), generator=generator)
    return variants_of(case, pixels, labels)


def microseconds_a_step(network: str, variant: str) -> tuple[float, float]:
    """Of one round, in this process: in processor and in wall time."""
    if variant.startswith("gradlab"):
        keep_freed_memory()
    case = CASES[network]
    per_processor_second, per_second = images_a_second(ready(network)[variant], case.steps, case.batch)
    return case.batch / per_processor_second * 1e6, case.batch / per_second * 1e6


def names_of_variants() -> list[str]:
    """All ways that can be measured here."""
    empty = torch.zeros(1, *SMALL, dtype=torch.uint8)
    return list(variants_of(CASES["LogRegression"], empty, torch.zeros(1, dtype=torch.long)))


def measured(network: str, rounds: int) -> dict[str, object]:
    """Microseconds a step of each way, a list entry a round, and the medians of the ratios to the loop by hand."""
    names = names_of_variants()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with contextlib.ExitStack() as stack:
        context = multiprocessing.get_context("spawn")
        pools = {name: stack.enter_context(ProcessPoolExecutor(1, mp_context=context)) for name in names}
        for turn in range(rounds + 1):  # the first round warms up
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                found = pools[name].submit(microseconds_a_step, network, name).result()
                if turn:
                    times[name].append(found)
    processor, wall = ({name: [pair[place] for pair in values] for name, values in times.items()} for place in (0, 1))
    hand = processor["by hand"]
    return {
        "microseconds_a_step": processor,
        "wall_microseconds_a_step": wall,
        "median_speed_to_by_hand": to_by_hand(processor),
        "median_wall_speed_to_by_hand": to_by_hand(wall),
        "median_microseconds_more": {
            name: statistics.median(a - b for a, b in zip(own, hand, strict=True)) for name, own in processor.items()
        },
    }


def to_by_hand(times: dict[str, list[float]]) -> dict[str, float]:
    """The median over rounds of each way's speed as a multiple of the loop by hand."""
    hand = times["by hand"]
    return {name: statistics.median(b / a for a, b in zip(own, hand, strict=True)) for name, own in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=list(CASES), choices=list(CASES))
    asked = parser.parse_args()
    found = {}
    for name in asked.networks:
        found[name] = measured(name, asked.rounds)
        print(name, found[name]["median_speed_to_by_hand"], flush=True)
    about = {"unit": "microseconds a step", "not_installed": absent("lightning"), "networks": found}
    print(write("bare_loop", about, peers=["lightning"]))


if __name__ == "__main__":
    main()
