"""How much of a training step is arithmetic, and how near is that to what this processor can do?

For each network of the practicals: floating-point operations of a step, counted by torch; the time of gradlab's step in
a steady state, as in `bench.bare_loop`; and so the rate at which a whole step computes. Beside it, in the same rounds,
the rates of a large matrix product and of a large convolution with its gradients: no step of products and convolutions
is much faster than these. Where a step's rate is near theirs, arithmetic is the floor. And the share of a step that is
spent in products and convolutions, each timed as it is called. Processor time, 1 thread.

Run: `python -m bench.arithmetic_floor`
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from bench import handbook_loop, simclr_loop
from bench.gradlab_loop import train_by_gradlab
from bench.handbook_loop import images_a_second, used
from bench.product_clock import share_of_products
from bench.record import write
from gradlab.augment import ContrastiveTransformations, Transform, simclr_augmentation
from gradlab.objectives import classification, info_nce
from gradlab.training import Place, keep_freed_memory
from gradlab.training.arithmetic import bfloat16_helps
from gradlab.training.task import Objective, Precision

NETWORKS = [*handbook_loop.NETWORKS, "SimCLR"]
STEPS = {"MLP": (10, 130), "ResNet": (2, 10), "ViT": (2, 14), "G-CNN": (1, 4), "SimCLR": (1, 5)}
"""Steps of the short and of the long training of a round."""
SIDE = 1024
"""Of the square matrices."""
IMAGES, CHANNELS, PLANE = 32, 64, 32
"""Of the convolution: 3 x 3 taps, as many channels out as in."""


def about(name: str) -> tuple[Callable[[], nn.Module], Objective, Transform, int]:
    """(network, objective, what is done to the images, batch)."""
    if name == "SimCLR":
        views = ContrastiveTransformations(simclr_augmentation())
        return simclr_loop.network, partial(info_nce, temperature=0.07), views, simclr_loop.BATCH
    return (
        handbook_loop.NETWORKS[name],
        classification,
        handbook_loop.views_of(name),
        handbook_loop.BATCH[name],
    )


def one_step(name: str, precision: Precision = "float32") -> tuple[Callable[[], None], int]:
    """A forward and backward pass over a batch of random inputs, and how many operations it makes."""
    make, objective, views, batch = about(name)
    model = make().train()
    pixels = torch.randint(0, 256, (batch, 3, 32, 32), dtype=torch.uint8)
    inputs, labels = views(pixels, torch.rand(batch, views.uniforms)), torch.randint(0, 10, (batch,))
    if any(isinstance(module, nn.Conv2d) for module in model.modules()) and inputs.ndim == 4:
        model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        inputs = inputs.contiguous(memory_format=torch.channels_last)

    def step() -> None:
        model.zero_grad()
        with Place(precision=precision).arithmetic():
            loss = objective(model, inputs, labels)[0]
        loss.backward()

    with FlopCounterMode(display=False) as counter:
        objective(model, inputs, labels)[0].backward()
    return step, counter.get_total_flops()


def share_of_arithmetic(step: Callable[[], None]) -> float:
    """The share of a step's processor time that is spent in products and convolutions."""

    def steps() -> None:
        for _ in range(3):
            step()

    step()
    return share_of_products(steps)


def seconds_a_step(name: str, precision: Precision) -> float:
    """Processor seconds of a step of gradlab's own loop, views included."""
    make, objective, views, batch = about(name)
    rows = STEPS[name][1] * batch
    pixels, labels = torch.randint(0, 256, (rows, 3, 32, 32), dtype=torch.uint8), torch.randint(0, 10, (rows,))
    train = partial(train_by_gradlab, make, pixels, labels, objective, handbook_loop.optimizer, views, batch, precision)
    images_per_second, _wall = images_a_second(train, STEPS[name], batch)
    return batch / images_per_second


def references(precision: Precision) -> dict[str, tuple[Callable[[], object], int]]:
    """What a processor computes fastest: a large matrix product, and a convolution with its gradients."""
    kind = getattr(torch, precision)
    left, layer = torch.randn(SIDE, SIDE, dtype=kind), nn.Linear(SIDE, SIDE, bias=False).to(kind)
    planes: Tensor = torch.randn(IMAGES, CHANNELS, PLANE, PLANE, dtype=kind, requires_grad=True)
    kernels = torch.randn(CHANNELS, CHANNELS, 3, 3, dtype=kind, requires_grad=True)

    def convolve() -> object:
        return torch.autograd.grad(F.conv2d(planes, kernels, padding=1).sum(), (planes, kernels))

    products = IMAGES * PLANE**2 * CHANNELS**2 * 9

    def multiply() -> object:
        with torch.no_grad(), Place(precision=precision).arithmetic():
            return layer(left)

    return {"matrix product": (multiply, 2 * SIDE**3), "convolution": (convolve, 3 * 2 * products)}


def rate(call: Callable[[], object], operations: int, repeats: int = 5) -> float:
    """Operations per processor second."""
    before = used()[0]
    for _ in range(repeats):
        call()
    return repeats * operations / (used()[0] - before)


def measured(name: str, precision: Precision, rounds: int) -> dict[str, object]:
    """Rates of a network's step and of the references, round by round, with the medians of their ratios."""
    step, operations = one_step(name, precision)
    fastest = references(precision)
    rates: dict[str, list[float]] = {kind: [] for kind in ("step", *fastest)}
    for turn in range(rounds + 1):  # the first round warms up
        found = {"step": operations / seconds_a_step(name, precision)}
        found |= {kind: rate(call, count) for kind, (call, count) in fastest.items()}
        for kind, value in found.items():
            if turn:
                rates[kind].append(value)
    to_fastest = {
        kind: statistics.median(a / b for a, b in zip(rates["step"], rates[kind], strict=True)) for kind in fastest
    }
    return {
        "operations_a_step": operations,
        "operations_per_processor_second": rates,
        "median_ratio_to": to_fastest,
        "share_of_arithmetic": share_of_arithmetic(step),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, choices=NETWORKS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # as `gradlab run` does
    precisions: list[Precision] = ["float32", "bfloat16"] if bfloat16_helps() else ["float32"]
    found: dict[str, dict[str, object]] = {}
    for name in asked.networks:
        found[name] = {precision: measured(name, precision, asked.rounds) for precision in precisions}
        print(name, found[name], flush=True)
    print(write("arithmetic_floor", {"unit": "operations per CPU second", "networks": found}))


if __name__ == "__main__":
    main()
