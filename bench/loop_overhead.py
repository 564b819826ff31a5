"""What does gradlab's loop cost a step, beside a loop written by hand over the same data in memory?

Same model, optimiser, batches and metrics on both sides: the hand-written loop sums loss and right answers as the
slides' loop does. Run: `python -m bench.loop_overhead`
"""

import argparse
import statistics
import time

import torch
from torch.nn import functional as F

from bench.record import interleaved, write
from gradlab.augment import Normalize
from gradlab.models import MLP, LogRegression
from gradlab.objectives import classification
from gradlab.training import Place, Recipe, collect, fit

SAMPLES, BATCH = 50_000, 50
NETWORKS = {"LogRegression": LogRegression, "MLP 784-64-10": lambda: MLP(784, 10, (64,))}


def main():
    parser = argparse.ArgumentParser()
    # A round's noise on a shared machine is larger than what is looked for.
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (SAMPLES, 1, 28, 28), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (SAMPLES,), generator=generator)
    normalize = Normalize((0.1307,), (0.3081,))
    steps = SAMPLES // BATCH

    def by_hand(make):
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        loss_sum, right = 0.0, 0
        order = torch.randperm(SAMPLES)
        for start in range(0, SAMPLES, BATCH):
            rows = order[start : start + BATCH]
            images, targets = normalize(pixels.index_select(0, rows)), labels.index_select(0, rows)
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, targets)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item()
            right += (logits.argmax(1) == targets).sum().item()

    def by_gradlab(make, window=None):
        recipe = Recipe(epochs=1, batch_size=BATCH, optimizer=lambda p: torch.optim.SGD(p, lr=0.01), window=window)
        place = Place(report=lambda _progress: None)
        collect(fit(make, (pixels, labels), classification, recipe, seeds=(0,), prepare=normalize, place=place))

    measured = {}
    for name, make in NETWORKS.items():
        variants = {
            "by hand": lambda make=make: by_hand(make),
            "gradlab": lambda make=make: by_gradlab(make),
            "gradlab, windows of 100 steps": lambda make=make: by_gradlab(make, 100),
        }
        times = interleaved(variants, rounds=rounds, clock=time.process_time)
        per_step = {variant: [seconds / steps * 1e6 for seconds in values] for variant, values in times.items()}
        base = per_step["by hand"]
        measured[name] = {
            "microseconds_a_step": per_step,
            "median_overhead_microseconds": {
                variant: statistics.median(mine - hand for mine, hand in zip(values, base, strict=True))
                for variant, values in per_step.items()
            },
        }
        print(name, measured[name]["median_overhead_microseconds"])
    print(write("loop_overhead", {"unit": "CPU microseconds a step", "networks": measured}))


if __name__ == "__main__":
    main()
