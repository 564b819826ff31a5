"""Memory does not grow with epochs, and an objective that keeps its batches is noticed."""

import ctypes
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from gradlab.augment import Normalize
from gradlab.objectives import classification
from gradlab.training import Recipe, fit

MEBIBYTE = 2**20
EPOCHS, EARLY, MOST = 80, 20, 4 * MEBIBYTE


class Heap(ctypes.Structure):
    """What glibc's `mallinfo2` tells."""

    _fields_: ClassVar = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )]  # fmt: skip


def allocated() -> int:
    """Bytes in use: resident memory would also count what earlier tests have freed, and new tensors would fit there."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Heap
    heap = mallinfo()
    return heap.uordblks + heap.hblkhd


def growth(objective) -> int:
    """Bytes that a training holds more after its last epoch than after an early one."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (256, 3, 8, 8), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 4, (256,), generator=generator)
    recipe = Recipe(epochs=EPOCHS, batch_size=64, optimizer=partial(torch.optim.SGD, lr=0.01, momentum=0.9))
    early = 0
    training = fit(
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(288, 4)),
        (images, labels),
        objective,
        recipe,
        seeds=(0,),
        prepare=Normalize((0.5,) * 3, (0.3,) * 3),
    )
    for row in training:
        if row["epoch"] == EARLY:
            early = allocated()
    return allocated() - early


def test_memory_does_not_grow_with_epochs():
    assert growth(classification) < MOST


def test_what_is_kept_of_every_step_is_noticed():
    kept: list[Tensor] = []

    def keeping(model: nn.Module, images: Tensor, labels: Tensor):
        loss, sums = classification(model, images, labels)
        kept.append(images.clone())
        return loss, sums

    assert growth(keeping) > MOST
