import pytest
import torch
from torch import Tensor

from gradlab.augment import (
    BatchShuffle,
    ContrastiveTransformations,
    Normalize,
    Pipeline,
    mixes_samples,
    simclr_augmentation,
)


class Added:
    """Adds the first of two uniform numbers to every pixel."""

    uniforms = 2

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        return images + uniforms[:, :1].view(-1, 1, 1, 1)


class Interleaved(ContrastiveTransformations):
    """Wrong: the views of an image side by side, so that the partner of i is not at i + batch."""

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        views = super().__call__(images, uniforms)
        return views.view(self.n_views, len(images), *views.shape[1:]).transpose(0, 1).flatten(0, 1)


def check_places(kind: type[ContrastiveTransformations]) -> None:
    images = torch.tensor([10.0, 20, 30]).view(3, 1, 1, 1)
    uniforms = torch.arange(12).view(3, 4) / 100
    found = kind(Added())(images, uniforms).flatten()
    torch.testing.assert_close(found, torch.tensor([10.0, 20.04, 30.08, 10.02, 20.06, 30.10]))


def test_view_v_of_image_i_is_at_v_times_batch_plus_i():
    check_places(ContrastiveTransformations)


def test_views_side_by_side_are_told_apart():
    with pytest.raises(AssertionError):
        check_places(Interleaved)


@pytest.mark.parametrize("n_views", [1, 2, 5])
def test_every_view_is_the_base_transform_of_its_own_numbers(n_views):
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (7, 3, 16, 16), dtype=torch.uint8, generator=generator)
    base = simclr_augmentation(16)
    views = ContrastiveTransformations(base, n_views)
    assert views.uniforms == n_views * base.uniforms
    uniforms = torch.rand(7, views.uniforms, generator=generator)
    expected = [base(pixels, part) for part in uniforms.split(base.uniforms, dim=1)]
    assert torch.equal(views(pixels, uniforms), torch.cat(expected))


def test_a_transform_without_randomness_gives_the_same_view_twice():
    views = ContrastiveTransformations(Normalize((0.5,), (0.5,)))
    found = views(torch.rand(3, 1, 2, 2), torch.empty(3, 0))
    assert torch.equal(found[:3], found[3:])


def test_the_batches_of_seeds_are_kept_apart():
    """Joined, the views of two seeds would lie between each other."""
    assert mixes_samples(Pipeline([ContrastiveTransformations(Added())]))
    assert not mixes_samples(Added())
    assert mixes_samples(BatchShuffle())


def test_no_views_are_refused():
    with pytest.raises(ValueError, match="n_views must be at least 1: got 0"):
        ContrastiveTransformations(Added(), 0)
