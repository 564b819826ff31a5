"""What do the parts of practical 5 cost: the contrastive loss, a step, and 300 probes?

Processor time, one thread, interleaved. The loss stands beside one that lets the features of every pair meet by
broadcasting, [2N, 2N, D], as is often done. Probes: 10 networks, 6 numbers of labels, 5 penalties, on
made-up features of 5,000 labelled, 5,000 validation and 10,000 test images. Run: `python -m bench.contrastive`
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.record import interleaved, medians, write
from gradlab.evaluation import PENALTIES, Features, probe
from gradlab.models import BaseNetwork, SimCLR
from gradlab.objectives import info_nce, info_nce_loss
from gradlab.training.arithmetic import bfloat16_helps

IMAGES, NUMBERS, ROUNDS = 256, 128, 5
NETWORKS, CLASSES, COUNTS = 10, 10, (10, 20, 50, 100, 200, 500)


def broadcast_loss(features: Tensor, temperature: float) -> Tensor:
    cosines = F.cosine_similarity(features[:, None], features[None], dim=-1)
    own = torch.eye(len(features), dtype=torch.bool)
    positives = own.roll(len(features) // 2, 0)
    scaled = cosines.masked_fill(own, -torch.inf) / temperature
    return (scaled.logsumexp(-1) - scaled[positives]).mean()


def with_gradient(loss: Callable[[Tensor, float], Tensor]) -> Callable[[], None]:
    features = torch.randn(2 * IMAGES, NUMBERS, requires_grad=True)
    return lambda: loss(features, 0.07).backward()


def step(precision: torch.dtype | None) -> Callable[[], None]:
    model = SimCLR(BaseNetwork(3, 32, 512)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, fused=True)
    views = torch.randn(2 * IMAGES, 3, 32, 32).contiguous(memory_format=torch.channels_last)

    def once() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is not None, cache_enabled=False):
            loss, _ = info_nce(model, views, torch.zeros(IMAGES))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return once


def made_up(numbers: int, images: int, seed: int) -> Features:
    """Features with classes, and with a spectrum that falls as those of trained networks do."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (images,), generator=generator)
    spectrum = torch.logspace(0, -2, numbers)
    centres = torch.randn(CLASSES, numbers, generator=torch.Generator().manual_seed(99))
    values = (0.5 * centres[labels] + torch.randn(NETWORKS, images, numbers, generator=generator)) * spectrum
    mixing = nn.init.orthogonal_(torch.empty(numbers, numbers), generator=torch.Generator().manual_seed(98))
    return Features(values @ mixing, labels)


def probes(numbers: int) -> Callable[[], None]:
    parts = [made_up(numbers, images, seed) for seed, images in enumerate((6000, 5000, 10_000))]
    return lambda: list(probe(range(NETWORKS), *parts, COUNTS)).clear()


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    losses = {"matrix product": with_gradient(info_nce_loss), "broadcast": with_gradient(broadcast_loss)}
    steps = {"step, float32": step(None)}
    if bfloat16_helps():
        steps["step, bfloat16"] = step(torch.bfloat16)
    count = NETWORKS * len(COUNTS) * len(PENALTIES)
    solved = {f"{count} probes, {numbers} numbers": probes(numbers) for numbers in (128, 512)}
    times = {}
    for variants, rounds in ((losses, ROUNDS), (steps, ROUNDS), (solved, 3)):
        times |= interleaved(variants, rounds=rounds, clock=time.process_time)
    middle = medians(times)
    print(middle)
    print(write("contrastive", {
        "unit": "processor seconds", "seconds": times, "medians": middle,
        "broadcast_over_matrix_product": middle["broadcast"] / middle["matrix product"],
        "images_per_second": {name: IMAGES / middle[name] for name in steps},
    }))  # fmt: skip


if __name__ == "__main__":
    main()
