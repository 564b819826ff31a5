"""How many views of practical 5 does a second of one processor core give, here and elsewhere?

The handbook's row of transforms at 32 x 32 pixels (blur of 3), and the same at 96 x 96 with the blur of 9 that goes
with that size. Peers are measured where they can be imported, and named where not: torchvision beside a CPU-only torch
and kornia want an environment of their own, on whose path gradlab's source is put.
Run: `PYTHONPATH=src python -m bench.augmentation`
"""

import importlib.metadata
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from bench.record import interleaved, write
from bench.torchvision_wheel import import_torchvision
from gradlab.augment import FusedPipeline, native_augmentation, simclr_augmentation
from gradlab.augment.handbook import blur_size

ROUNDS = {32: 15, 96: 7}
BATCH = {32: 512, 96: 64}
PIECE = {32: 64, 96: 16}
"""Images to a call of the compiled transform: as many as stay in the cache."""
Variant = tuple[Callable[[], None], int]
"""One call, and how many views it makes."""
HANDBOOK = "torchvision, PIL, one image after the other"
JITTER = (0.5, 0.5, 0.5, 0.1)


def torchvision_row(transforms: Any, size: int) -> list[Any]:
    return [
        transforms.RandomHorizontalFlip(),
        transforms.RandomResizedCrop(size, scale=(0.25, 1.0)),
        transforms.RandomApply([transforms.ColorJitter(*JITTER)], p=0.8),
        transforms.RandomGrayscale(0.2),
        transforms.GaussianBlur(blur_size(size)),
    ]


def with_pillow(images: torch.Tensor, size: int) -> Variant:
    from PIL import Image

    transforms = import_torchvision().transforms
    row = transforms.Compose(
        [*torchvision_row(transforms, size), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
    )
    arrays = list(images[:64].permute(0, 2, 3, 1).contiguous().numpy())
    return lambda: forgotten([row(Image.fromarray(array)) for array in arrays]), len(arrays)


def with_version_2(images: torch.Tensor, size: int) -> Variant:
    import_torchvision()
    from torchvision.transforms import v2  # noqa: TID251

    row = v2.Compose(
        [*torchvision_row(v2, size), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)]
    )
    return lambda: forgotten([row(image) for image in images[:64]]), 64


def with_kornia(images: torch.Tensor, size: int) -> Variant:
    import kornia.augmentation as kornia

    blur = blur_size(size)
    row = kornia.AugmentationSequential(
        kornia.RandomHorizontalFlip(p=0.5),
        kornia.RandomResizedCrop((size, size), scale=(0.25, 1.0)),
        kornia.ColorJitter(*JITTER, p=0.8),
        kornia.RandomGrayscale(p=0.2),
        kornia.RandomGaussianBlur((blur, blur), (0.1, 2.0), p=1.0),
        kornia.Normalize(0.5, 0.5),
        data_keys=["input"],
    )
    return lambda: forgotten(row(images.float() / 255)), len(images)


def forgotten(_made: Any) -> None:
    """What a measured call makes is not used."""


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


PEERS = {
    HANDBOOK: with_pillow,
    "torchvision v2, bytes, one image after the other": with_version_2,
    "kornia, a batch": with_kornia,
}


def ours(images: torch.Tensor, size: int) -> dict[str, Variant]:
    """Drawing the random numbers is part of the work."""
    row = simclr_augmentation(size)
    eager, compiled = FusedPipeline(row.transforms, native=False), torch.compile(row, dynamic=False)

    def in_pieces(images: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
        pieces = zip(images.split(PIECE[size]), draws.split(PIECE[size]), strict=True)
        return torch.cat([compiled(*piece) for piece in pieces])

    calls = {"gradlab, torch": eager, "gradlab, torch.compile": in_pieces}
    if native_augmentation() != "torch":
        calls["gradlab, native"] = row
    draws = torch.rand(len(images), row.uniforms)
    furthest = {name: (call(images, draws) - eager(images, draws)).abs().max().item() for name, call in calls.items()}
    print("furthest from torch:", furthest)

    def variant(call: Callable[..., torch.Tensor]) -> Variant:
        return lambda: forgotten(call(images, torch.rand(len(images), row.uniforms))), len(images)

    return {name: variant(call) for name, call in calls.items()}


def measured(size: int) -> dict[str, Any]:
    # As many bytes as a file of CIFAR-10 holds: once they are gone, this process reuses memory as one that trains does.
    pixels = np.random.default_rng(0).integers(0, 256, (30_720_000 // (3 * size**2), 3, size, size), dtype=np.uint8)
    images = torch.from_numpy(pixels)[: BATCH[size]].clone()
    del pixels
    variants: dict[str, Variant] = {}
    missing: dict[str, str] = {}
    for name, make in PEERS.items():
        try:
            variants[name] = make(images, size)
        except ImportError as error:
            missing[name] = f"not measured: {error}"
    variants |= ours(images, size)
    calls = {name: call for name, (call, _) in variants.items()}
    times = interleaved(calls, rounds=ROUNDS[size], clock=time.process_time)
    rates = {name: [variants[name][1] / seconds for seconds in values] for name, values in times.items()}
    found: dict[str, Any] = {
        "blur": blur_size(size),
        "missing": missing,
        "median": {name: round(statistics.median(values)) for name, values in rates.items()},
        "views_per_cpu_second": {name: [round(value) for value in values] for name, values in rates.items()},
    }
    for base in (HANDBOOK, "kornia, a batch"):
        if base in rates:
            found[f"median_ratio_to {base}"] = {
                name: round(statistics.median(a / b for a, b in zip(values, rates[base], strict=True)), 2)
                for name, values in rates.items()
            }
    print(size, {key: value for key, value in found.items() if key != "views_per_cpu_second"})
    return found


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes = {f"{size} x {size}": measured(size) for size in ROUNDS}
    versions = {name: _version(name) for name in ("torchvision", "kornia")}
    kernel = native_augmentation()
    print(write("augmentation", {"unit": "views per CPU second", "kernel": kernel, "peers": versions, "sizes": sizes}))


if __name__ == "__main__":
    main()
