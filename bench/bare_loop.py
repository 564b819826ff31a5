"""How fast does gradlab train beside a loop written by hand, and beside Fabric and Lightning?

The loop by hand is what an engineer writes in ten minutes: normalised float images in one tensor, batches by index,
loss and right answers summed as tensors, nothing else. Fabric and Lightning are given the same batches. gradlab keeps
uint8 images and normalises each batch. Same network, batch size and optimiser; random pixels. A round trains a few
steps and then many; their difference is the cost in a steady state. Processor time, 1 thread.

Run: `python -m bench.bare_loop`; for Fabric and Lightning install `pip install -e '.[bench]'` first
"""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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


def measured(case: Case, rounds: int) -> dict[str, object]:
    """Microseconds a step of each variant, a list entry a round, and the medians of the ratios to the loop by hand."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (SAMPLES, *case.shape), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (SAMPLES,), generator=generator)
    variants = variants_of(case, pixels, labels)
    times: dict[str, list[float]] = {name: [] for name in variants}
    names = list(variants)
    for turn in range(rounds + 1):  # the first round warms up
        for name in names:
            speed, _wall = images_a_second(variants[name], case.steps, case.batch)
            if turn:
                times[name].append(case.batch / speed * 1e6)
        names = names[1:] + names[:1]
    hand = times["by hand"]
    ratio = {name: statistics.median(b / a for a, b in zip(own, hand, strict=True)) for name, own in times.items()}
    more = {name: statistics.median(a - b for a, b in zip(own, hand, strict=True)) for name, own in times.items()}
    return {"microseconds_a_step": times, "median_speed_to_by_hand": ratio, "median_microseconds_more": more}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=list(CASES), choices=list(CASES))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for name in asked.networks:
        found[name] = measured(CASES[name], asked.rounds)
        print(name, found[name]["median_speed_to_by_hand"], flush=True)
    absentees = absent("lightning")
    print(write("bare_loop", {"unit": "CPU microseconds a step", "not_installed": absentees, "networks": found}))


if __name__ == "__main__":
    main()
