"""How long do three seeds of LeNet take by each way, beside one seed?

Wall time of one epoch over the same images, one thread a process, interleaved. Run: `python -m bench.seeds_together`
"""

import torch

from bench.record import interleaved, medians, wall_clock, write
from gradlab.augment import Normalize
from gradlab.models import LeNet
from gradlab.objectives import classification
from gradlab.training import Place, Recipe, collect, fit

SAMPLES, BATCH, ROUNDS, SEEDS = 6_000, 50, 5, (0, 1, 2)


def main():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (SAMPLES, 1, 28, 28), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (SAMPLES,), generator=generator)

    def train(seeds, way):
        recipe = Recipe(epochs=1, batch_size=BATCH, optimizer=lambda p: torch.optim.SGD(p, lr=0.01, fused=True))
        normalize = Normalize((0.1307,), (0.3081,))
        training = fit(
            LeNet, (pixels, labels), classification, recipe, seeds=seeds, together=way, prepare=normalize, place=Place()
        )
        collect(training)

    variants = {"one seed": lambda: train((0,), "in a row")}
    variants |= {way: lambda way=way: train(SEEDS, way) for way in ("processes", "in a row", "stacked")}
    times = interleaved(variants, rounds=ROUNDS, clock=wall_clock)
    middle = medians(times)
    ratios = {name: seconds / middle["one seed"] for name, seconds in middle.items()}
    print(ratios)
    print(write("seeds_together", {"unit": "wall seconds", "seconds": times, "ratio_to_one_seed": ratios}))


if __name__ == "__main__":
    main()
