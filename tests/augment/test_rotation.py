import pytest
import torch
from scipy import stats

from gradlab.augment import RandomRotation, SmallAffine
from gradlab.augment.pixels import to_floats
from gradlab.augment.rotation import rotated


def clockwise(images: torch.Tensor, degrees: torch.Tensor) -> torch.Tensor:
    """Wrong: the other way round."""
    return rotated(images, -degrees)


def check_torchvisions(turn, torchvision) -> None:
    found = turn(to_floats(torchvision["images"], torch.float32), torchvision["rotation/degrees"])
    torch.testing.assert_close(found, torchvision["rotation"], rtol=0, atol=1e-5)


def test_turned_pictures_are_torchvisions(torchvision):
    check_torchvisions(rotated, torchvision)


def test_the_other_direction_is_told_apart(torchvision):
    with pytest.raises(AssertionError):
        check_torchvisions(clockwise, torchvision)


def test_angles_are_drawn_as_torchvision_draws_them(torchvision):
    draws = torch.rand(4000, 1, generator=torch.Generator().manual_seed(0))
    assert stats.ks_2samp(RandomRotation(30).parameters(draws), torchvision["draws/degrees"]).pvalue > 0.001
    assert stats.ks_2samp(RandomRotation(35).parameters(draws), torchvision["draws/degrees"]).pvalue < 1e-6


def test_it_is_a_small_affine_map_that_only_turns():
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (6, 3, 9, 14), dtype=torch.uint8, generator=generator)
    uniforms = torch.full((6, 4), 0.5)
    uniforms[:, 0] = torch.rand(6, generator=generator)
    affine = SmallAffine(degrees=40, translate=0, scale=0)
    torch.testing.assert_close(RandomRotation(40)(pixels, uniforms[:, :1]), affine(pixels, uniforms), rtol=0, atol=1e-5)


@pytest.mark.parametrize("degrees", [-1, float("nan")])
def test_negative_ranges_are_refused(degrees):
    with pytest.raises(ValueError, match="degrees must be >= 0: got"):
        RandomRotation(degrees)
