"""What do the smaller levers bring, each beside what it stands in for?

- Optimiser: torch's fused step beside its step parameter by parameter (`foreach=False`), SGD with momentum and AdamW,
  for the practicals' networks.
- Evaluation: batches of 500 in inference mode, as gradlab does, beside batches of 50 and 2,500, and beside a forward
  pass that keeps what slopes need.
- Probe: L-BFGS over all samples beside Adam over batches of 100, which stops as soon as its loss is within 1 % of
  the minimum; it is checked once an epoch, and that check is not counted.

Processor time, 1 thread, interleaved; ratios are medians over rounds: how many times as fast the lever is.
Run: `python -m bench.levers`
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.handbook_loop import NETWORKS
from bench.record import interleaved, write
from gradlab.evaluation.logistic import logistic_regression

STEPS = 50
IMAGES = 2_500
SAMPLES, NUMBERS, CLASSES, PENALTY = 5_000, 128, 10, 1e-3
NEAR, MOST_EPOCHS = 1.01, 100
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD": partial(torch.optim.SGD, lr=0.01, momentum=0.9, weight_decay=1e-4),
    "AdamW": partial(torch.optim.AdamW, lr=1e-3),
}


def stepping(make: Callable[[], nn.Module], optimizer: Callable[..., torch.optim.Optimizer]) -> Callable[[], None]:
    """Some steps of an optimiser with slopes that are there already."""
    parameters = list(make().parameters())
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    stepper = optimizer(parameters)

    def steps() -> None:
        for _ in range(STEPS):
            stepper.step()

    return steps


def evaluating(model: nn.Module, images: Tensor, batch: int, *, slopes: bool = False) -> Callable[[], None]:
    """A forward pass over all images."""

    def evaluate() -> None:
        with torch.inference_mode(mode=not slopes):
            for part in images.split(batch):
                model(part).argmax(1)

    return evaluate


def features() -> tuple[Tensor, Tensor]:
    """Features of classes that overlap, with columns of different size as networks give them, then standardised."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, CLASSES, (SAMPLES,), generator=generator)
    centres = 0.3 * torch.randn(CLASSES, NUMBERS, generator=generator)
    mixing = torch.randn(NUMBERS, NUMBERS, generator=generator) / NUMBERS**0.5
    values = (centres[labels] + torch.randn(SAMPLES, NUMBERS, generator=generator)) @ mixing
    return (values - values.mean(0)) / values.std(0), labels


def objective(weight: Tensor, bias: Tensor, values: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(values @ weight.T + bias, labels) + PENALTY / 2 * weight.square().sum()


def by_lbfgs(values: Tensor, labels: Tensor) -> tuple[float, float]:
    """(processor seconds, loss) of the probe as gradlab solves it."""
    begin = time.process_time()
    solution = logistic_regression(values[None], labels, torch.tensor([PENALTY]), classes=CLASSES)
    spent = time.process_time() - begin
    return spent, objective(solution.weights[0, 0], solution.biases[0, 0], values, labels).item()


def by_batches(values: Tensor, labels: Tensor, wanted: float) -> tuple[float, float]:
    """(processor seconds, loss) of Adam over batches, until the loss is as small as wanted."""
    layer = nn.Linear(NUMBERS, CLASSES)
    stepper = torch.optim.Adam(layer.parameters(), lr=3e-3, fused=True)
    spent, loss = 0.0, float("inf")
    for _ in range(MOST_EPOCHS):
        begin = time.process_time()
        for rows in torch.randperm(len(values)).split(100):
            stepper.zero_grad()
            objective(layer.weight, layer.bias, values[rows], labels[rows]).backward()
            stepper.step()
        spent += time.process_time() - begin
        loss = objective(layer.weight, layer.bias, values, labels).item()
        if loss <= wanted:
            break
    return spent, loss


def probes(rounds: int) -> dict[str, object]:
    """Seconds of both ways, the losses that they end at, and the median ratio."""
    values, labels = features()
    both: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for turn in range(rounds + 1):
        exact = by_lbfgs(values, labels)
        batches = by_batches(values, labels, NEAR * exact[1])
        if turn:
            both.append((exact, batches))
    return {
        "seconds": {"L-BFGS": [pair[0][0] for pair in both], "batches": [pair[1][0] for pair in both]},
        "losses": {"L-BFGS": [pair[0][1] for pair in both], "batches": [pair[1][1] for pair in both]},
        "lever": "L-BFGS",
        "speed": {"batches": statistics.median(batches[0] / exact[0] for exact, batches in both)},
    }


def beside(lever: str, variants: dict[str, Callable[[], None]], rounds: int) -> dict[str, object]:
    """Seconds of each variant, and how many times as fast the lever is as each other one."""
    times = interleaved(variants, rounds=rounds, clock=time.process_time)
    speeds = {
        name: statistics.median(b / a for a, b in zip(times[lever], own, strict=True))
        for name, own in times.items()
        if name != lever
    }
    return {"seconds": times, "lever": lever, "speed": speeds}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found: dict[str, object] = {}
    for name in ("MLP", "ResNet", "ViT"):
        for kind, optimizer in OPTIMIZERS.items():
            variants = {
                "fused": stepping(NETWORKS[name], partial(optimizer, fused=True)),
                "one by one": stepping(NETWORKS[name], partial(optimizer, foreach=False)),
            }
            found[f"{kind} step, {name}"] = beside("fused", variants, rounds)
    for name in ("MLP", "ResNet"):
        model, images = NETWORKS[name]().eval(), torch.randn(IMAGES, 3, 32, 32)
        variants = {f"batches of {batch}": evaluating(model, images, batch) for batch in (500, 50, 2_500)}
        variants["batches of 500, with slopes"] = evaluating(model, images, 500, slopes=True)
        found[f"evaluation, {name}"] = beside("batches of 500", variants, rounds)
    found["probe"] = probes(rounds)
    for name, about in found.items():
        print(name, about["speed"])
    print(write("levers", {"unit": "CPU seconds", "levers": found}))


if __name__ == "__main__":
    main()
