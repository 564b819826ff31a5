"""Flips that alternate over the epochs of training, and shifts against torch's own reflection padding."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.augment import (
    AlternatingFlip,
    Normalize,
    Pipeline,
    RandomHorizontalFlip,
    ReflectedTranslation,
    alternating_columns,
)
from gradlab.objectives import classification
from gradlab.training import Recipe, collect, fit


class Watcher(nn.Linear):
    """Keeps what it is shown: which sample, and whether it is mirrored."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        self.seen: list[Tensor] = []

    def forward(self, input: Tensor) -> Tensor:
        if self.training:
            self.seen.append(input.flatten(1))
        return super().forward(input.flatten(1).float())


def mirrored(flip: RandomHorizontalFlip, epochs: int = 4, samples: int = 40) -> Tensor:
    """Whether each sample is mirrored in each epoch, bool [epochs, samples]."""
    images = torch.zeros(samples, 1, 1, 2, dtype=torch.uint8)
    images[:, 0, 0, 1] = torch.arange(1, samples + 1)
    watcher = Watcher()
    recipe = Recipe(epochs=epochs, batch_size=8, optimizer=lambda weights: torch.optim.SGD(weights, lr=0.0))
    shift = ReflectedTranslation(0)
    collect(fit(lambda: watcher, (images, torch.zeros(samples, dtype=torch.int64)), classification, recipe, seeds=(3,),
                prepare=Pipeline([shift, flip])))  # fmt: skip
    shown = torch.cat(watcher.seen).view(epochs, samples, 2)
    return torch.stack([(epoch[:, 0] > 0)[epoch.amax(1).argsort()] for epoch in shown])


def check_alternates(found: Tensor) -> None:
    for before, after in itertools.pairwise(found):
        assert torch.equal(before, ~after)
    assert 8 < found[0].sum() < 32


def test_every_other_epoch_shows_the_mirror_image():
    check_alternates(mirrored(AlternatingFlip()))
    with pytest.raises(AssertionError):
        check_alternates(mirrored(RandomHorizontalFlip()))


def test_columns_are_found_inside_pipelines():
    inner = Pipeline([ReflectedTranslation(1), AlternatingFlip()])
    assert alternating_columns(Pipeline([RandomHorizontalFlip(), inner, AlternatingFlip()])) == [3, 4]
    assert alternating_columns(Pipeline([RandomHorizontalFlip(), Normalize((0.5,), (0.5,))])) == []


@pytest.mark.parametrize("pixels", [0, 1, 2, 4])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_shift_is_a_crop_of_the_reflected_image(pixels, dtype):
    images = torch.randint(0, 256, (30, 2, 5, 6), generator=torch.Generator().manual_seed(0)).to(dtype)
    transform = ReflectedTranslation(pixels)
    draws = torch.rand(30, 2, generator=torch.Generator().manual_seed(1))
    found = transform(images, draws)
    assert found.dtype == dtype
    padded = F.pad(images.float(), [pixels] * 4, "reflect").to(dtype)
    for image, shifted, (right, down) in zip(padded, found, transform.parameters(draws).tolist(), strict=True):
        top, left = pixels - down, pixels - right
        assert torch.equal(shifted, image[:, top : top + 5, left : left + 6])


def test_all_shifts_are_equally_likely():
    grid = (torch.arange(1000) / 1000).unsqueeze(1).expand(-1, 2)
    shifts, counts = ReflectedTranslation(2).parameters(grid)[:, 0].unique(return_counts=True)
    assert shifts.tolist() == [-2, -1, 0, 1, 2]
    assert counts.tolist() == [200] * 5


def test_shifts_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="0 pixels or more: got -1"):
        ReflectedTranslation(-1)
    with pytest.raises(ValueError, match="images of 5x3 cannot be shifted by 3 pixels"):
        ReflectedTranslation(3)(torch.zeros(1, 1, 5, 3), torch.zeros(1, 2))
