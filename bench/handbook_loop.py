"""How fast does gradlab train beside the handbook's own loop?

The handbook's loop: PIL images out of memory, torchvision's transforms on single images, a loader with 3 workers, and
Lightning's trainer with logger, checkpoints and two logged numbers a step. gradlab's loop: uint8 pixels in memory,
augmentation on batches. Same network, batch, optimiser and augmentation; random pixels. A round trains a few steps and
then many steps; their difference is the cost in a steady state, without start-up. Processor time counts this process
and those that it starts. The handbook's loop trains one network with several processes; gradlab trains a network with
one, so it is measured with one seed and with as many as there are cores, where it counts the images of all.

Run: `python -m bench.handbook_loop`, after `pip install -e '.[bench]'`
"""

import argparse
import itertools
import resource
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from bench.gradlab_loop import train_by_gradlab
from bench.record import require, write
from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.equivariance import CyclicGroup
from gradlab.models import MLP, GroupEquivariantCNN, ResNet, VisionTransformer
from gradlab.objectives import classification
from gradlab.records.environment import available_cores
from gradlab.training.arithmetic import bfloat16_helps
from gradlab.training.task import Precision

MEAN, STD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.261)
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "MLP": lambda: MLP(3 * 32 * 32, 10, (256, 128)),
    "ResNet": lambda: ResNet(10, (2, 2, 3), (16, 24, 32)),
    "ViT": lambda: VisionTransformer(
        embed_dim=128, hidden_dim=256, num_channels=3, num_heads=8, num_layers=6, num_classes=10, patch_size=8,
        num_patches=16,
    ),
    "G-CNN": lambda: GroupEquivariantCNN(CyclicGroup(4), 3, 10, 5, 4, 16),
}  # fmt: skip
STEPS = {"MLP": (10, 130), "ResNet": (4, 24), "ViT": (4, 34), "G-CNN": (1, 4)}
"""Steps of the short and of the long training of a round."""
PRECISIONS: dict[Precision, str] = {"float32": "", **({"bfloat16": ", bfloat16"} if bfloat16_helps() else {})}
A_CORE = ", a seed a core"
BATCH = {"MLP": 128, "ResNet": 128, "ViT": 128, "G-CNN": 64}


def used() -> tuple[float, float]:
    """Processor seconds of this process and its finished children, and the wall clock."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, time.perf_counter()


def images_a_second(train: Callable[[int], None], steps: tuple[int, int], images: int) -> tuple[float, float]:
    """Images per processor second and per wall second, from the difference of a long and a short training.

    Args:
        train: trains for so many steps.
        steps: of the short and of the long training.
        images: of one step, of all seeds.
    """
    marks = [used()]
    for count in steps:
        train(count)
        marks.append(used())
    (short_cpu, short_wall), (long_cpu, long_wall) = (
        (after[0] - before[0], after[1] - before[1]) for before, after in itertools.pairwise(marks)
    )
    added = (steps[1] - steps[0]) * images
    return added / (long_cpu - short_cpu), added / (long_wall - short_wall)


def optimizer(parameters) -> torch.optim.Optimizer:
    """The practicals' optimiser."""
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=1e-4, fused=True)


def views_of(network: str) -> Pipeline:
    """What is done to a network's images."""
    augment = [] if network == "MLP" else [RandomHorizontalFlip(), RandomResizedCrop(32, (0.8, 1.0), (0.9, 1.1))]
    return Pipeline([*augment, Normalize(MEAN, STD)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    require("lightning", "torchvision")
    from bench.handbook import train_by_handbook

    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (20_000, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (20_000,), generator=generator)
    found = {}
    for name in asked.networks:
        ours = partial(
            train_by_gradlab, NETWORKS[name], pixels, labels, classification, optimizer, views_of(name), BATCH[name]
        )
        variants = {"handbook": partial(train_by_handbook, NETWORKS[name], pixels, labels, BATCH[name], name != "MLP")}
        for precision, told in PRECISIONS.items():
            variants[f"gradlab{told}"] = partial(ours, precision)
            variants[f"gradlab{told}{A_CORE}"] = partial(ours, precision, seeds=available_cores())
        speeds: dict[str, list[tuple[float, float]]] = {variant: [] for variant in variants}
        for _ in range(asked.rounds):
            for variant, train in variants.items():
                seeds = available_cores() if variant.endswith(A_CORE) else 1
                speeds[variant].append(images_a_second(train, STEPS[name], seeds * BATCH[name]))
        found[name] = summary(speeds)
        print(name, found[name]["median_ratio_to_handbook"])
    about = {"threads": 1, "loader_workers": 3, "cores": available_cores(), "networks": found}
    print(write("handbook_loop", about, peers=["lightning", "torchvision"]))


def summary(speeds: dict[str, list[tuple[float, float]]]) -> dict[str, object]:
    """Raw speeds and the medians of the paired ratios to the handbook's loop."""
    units = ("images_per_processor_second", "images_per_second")
    ratios = {
        variant: {
            unit: statistics.median(a[place] / b[place] for a, b in zip(values, speeds["handbook"], strict=True))
            for place, unit in enumerate(units)
        }
        for variant, values in speeds.items()
        if variant != "handbook"
    }
    raw = {
        unit: {variant: [pair[place] for pair in values] for variant, values in speeds.items()}
        for place, unit in enumerate(units)
    }
    return raw | {"median_ratio_to_handbook": ratios}


if __name__ == "__main__":
    main()
