"""What does a group convolution cost beside a plain one of the same shape, and a separable one beside a dense one?

16 fields, 5 x 5 taps, forward and backward in training, forward alone in evaluation, one thread.
Run: `python -m bench.group_convolution`
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from bench.record import interleaved, medians, write
from gradlab.equivariance import CyclicGroup, GroupConvolution, SeparableGroupConvolution

FIELDS, TAPS = 16, 5
SHAPES = {"batch 64, 28 x 28": (64, 28, 1, 11), "batch 1, 14 x 14": (1, 14, 200, 21)}
"""name -> batch, side, calls a round, rounds."""


def training_step(layer: nn.Module, x: torch.Tensor, calls: int) -> Callable[[], None]:
    def step() -> None:
        for _ in range(calls):
            layer.zero_grad()
            layer(x).square().mean().backward()

    return step


def evaluation(layer: nn.Module, x: torch.Tensor, calls: int) -> Callable[[], None]:
    def forward() -> None:
        with torch.no_grad():
            for _ in range(calls):
                layer(x)

    return forward


def measured(order: int, batch: int, side: int, calls: int, rounds: int) -> dict[str, Any]:
    group = CyclicGroup(order)
    folded, grouped = torch.randn(batch, FIELDS * order, side, side), torch.randn(batch, FIELDS, order, side, side)
    plain = nn.Conv2d(FIELDS * order, FIELDS * order, TAPS, padding=TAPS // 2, bias=False)
    dense = GroupConvolution(group, FIELDS, FIELDS, TAPS, padding=TAPS // 2)
    separable = SeparableGroupConvolution(group, FIELDS, FIELDS, TAPS, padding=TAPS // 2)
    inputs = {"plain": (plain, folded), "group": (dense, grouped), "separable": (separable, grouped)}
    found: dict[str, Any] = {}
    for kind, make in (("training", training_step), ("evaluation", evaluation)):
        for layer, _ in inputs.values():
            layer.train(kind == "training")
        variants = {name: make(layer, x, calls) for name, (layer, x) in inputs.items()}
        times = interleaved(variants, rounds=rounds, clock=time.process_time)
        base = medians(times)
        found[kind] = {
            "milliseconds": {name: [1e3 * value / calls for value in values] for name, values in times.items()},
            "median_ratio_to_plain": {
                name: statistics.median(a / b for a, b in zip(times[name], times["plain"], strict=True))
                for name in ("group", "separable")
            },
            "separable_speedup_over_group": base["group"] / base["separable"],
        }
        print(
            f"C{order}", batch, kind, found[kind]["median_ratio_to_plain"], found[kind]["separable_speedup_over_group"]
        )
    return found


def building(order: int) -> float:
    times = []
    for _ in range(21):
        begin = time.process_time()
        GroupConvolution(CyclicGroup(order), FIELDS, FIELDS, TAPS)
        times.append(1e3 * (time.process_time() - begin))
    return statistics.median(times)


def main() -> None:
    torch.set_num_threads(1)
    layers = {f"C{order}": {name: measured(order, *shape) for name, shape in SHAPES.items()} for order in (4, 8)}
    build = {f"C{order}": building(order) for order in (4, 8, 16)}
    print("build, ms:", build)
    print(
        write("group_convolution", {"unit": "CPU milliseconds a call", "layers": layers, "build_milliseconds": build})
    )


if __name__ == "__main__":
    main()
