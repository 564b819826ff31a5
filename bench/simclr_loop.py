"""How fast does gradlab learn without labels beside the handbook's way of doing it?

The handbook's loop as in `bench.handbook_loop`, each image made into two views by torchvision's transforms, with two
losses: the usual one, in which the features of all pairs of views meet by broadcasting, and a matrix product. gradlab
makes the views of a whole batch at once. Same network, batch of 256, optimiser and augmentation; random pixels.

Run: `python -m bench.simclr_loop`, after `pip install -e '.[bench]'`
"""

import argparse
import os
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from bench.contrastive import broadcast_loss
from bench.gradlab_loop import train_by_gradlab
from bench.handbook_loop import images_a_second, summary
from bench.record import require, write
from gradlab.augment import ContrastiveTransformations, simclr_augmentation
from gradlab.models import BaseNetwork, SimCLR
from gradlab.objectives import info_nce, info_nce_loss
from gradlab.training.arithmetic import bfloat16_helps

BATCH = 256
STEPS = {"handbook": (1, 4), "handbook, matrix product": (1, 7), "gradlab": (2, 12), "gradlab, bfloat16": (2, 20)}
"""Steps of the short and of the long training of a round."""


def network() -> nn.Module:
    return SimCLR(BaseNetwork(3, 32, 512))


def optimizer(parameters) -> torch.optim.Optimizer:
    """The practical's optimiser."""
    return torch.optim.AdamW(parameters, lr=5e-4, weight_decay=1e-4, fused=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    require("lightning", "torchvision")
    from bench.handbook import contrast_by_handbook

    generator = torch.Generator().manual_seed(0)
    images = max(long for _short, long in STEPS.values()) * BATCH
    pixels = torch.randint(0, 256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (images,), generator=generator)
    views, loss = ContrastiveTransformations(simclr_augmentation()), partial(info_nce, temperature=0.07)
    ours = partial(train_by_gradlab, network, pixels, labels, loss, optimizer, views, BATCH)
    variants: dict[str, Callable[[int], None]] = {
        "handbook": partial(contrast_by_handbook, network, broadcast_loss, pixels, labels, BATCH),
        "handbook, matrix product": partial(contrast_by_handbook, network, info_nce_loss, pixels, labels, BATCH),
        "gradlab": partial(ours, "float32"),
    }
    if bfloat16_helps():
        variants["gradlab, bfloat16"] = partial(ours, "bfloat16")
    speeds: dict[str, list[tuple[float, float]]] = {variant: [] for variant in variants}
    for _ in range(asked.rounds):
        for variant, train in variants.items():
            speeds[variant].append(images_a_second(train, STEPS[variant], BATCH))
            print(variant, speeds[variant][-1], flush=True)
    found = summary(speeds) | {"median_ratio_to_matrix_product": to_matrix_product(speeds)}
    about = {"threads": 1, "loader_workers": 3, "cores": os.cpu_count(), "networks": {"SimCLR": found}}
    print(write("simclr_loop", about, peers=["lightning", "torchvision"]))


def to_matrix_product(speeds: dict[str, list[tuple[float, float]]]) -> object:
    """gradlab's ratios to the handbook's loop with the quick loss."""
    kept = {name: values for name, values in speeds.items() if name.startswith("gradlab")}
    return summary({"handbook": speeds["handbook, matrix product"], **kept})["median_ratio_to_handbook"]


if __name__ == "__main__":
    main()
