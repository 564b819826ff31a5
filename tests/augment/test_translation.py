import pytest
import torch
from scipy import stats

from gradlab.augment import RandomTranslation
from gradlab.augment.pixels import to_floats
from gradlab.augment.translation import translated


def rolled(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Wrong: what leaves on one side comes back on the other."""
    return torch.stack([image.roll((down, across), (-2, -1))
                        for image, (across, down) in zip(images, shifts.tolist(), strict=True)])  # fmt: skip


def check_torchvisions(shift, torchvision) -> None:
    found = shift(to_floats(torchvision["images"], torch.float32), torchvision["translation/shifts"])
    assert torch.equal(found, torchvision["translation"])


def test_shifted_pictures_are_torchvisions(torchvision):
    check_torchvisions(translated, torchvision)


def test_a_roll_is_told_apart(torchvision):
    with pytest.raises(AssertionError):
        check_torchvisions(rolled, torchvision)


def test_shifts_are_drawn_as_torchvision_draws_them(torchvision):
    draws = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0))
    right, swapped = (
        RandomTranslation(share).parameters(draws, height=32, width=32) for share in ((0.2, 0.1), (0.1, 0.2))
    )
    for axis in (0, 1):
        assert stats.ks_2samp(right[:, axis], torchvision["draws/shifts"][:, axis]).pvalue > 0.001
        assert stats.ks_2samp(swapped[:, axis], torchvision["draws/shifts"][:, axis]).pvalue < 1e-6


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_by_hand(dtype):
    image = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=dtype).expand(3, 1, 2, 3)
    found = translated(image, torch.tensor([[1, 0], [-2, 1], [0, 5]]))
    assert found.dtype == dtype
    assert found[:, 0].tolist() == [[[0, 1, 2], [0, 4, 5]], [[0, 0, 0], [3, 0, 0]], [[0, 0, 0], [0, 0, 0]]]


def test_every_shift_of_the_range_is_reached():
    draws = torch.linspace(0, 1 - 2**-24, 500).view(-1, 1).expand(-1, 2)
    shifts = RandomTranslation((0.5, 0.25)).parameters(draws, height=8, width=8)
    assert shifts[:, 0].unique().tolist() == list(range(-4, 5))
    assert shifts[:, 1].unique().tolist() == list(range(-2, 3))


@pytest.mark.parametrize("share", [(-0.1, 0), (0, 1.1), (float("nan"), 0)])
def test_impossible_shares_are_refused(share):
    with pytest.raises(ValueError, match=r"a share of the side lies in \[0, 1\]: got share="):
        RandomTranslation(share)
