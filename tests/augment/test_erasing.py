import pytest
import torch
from scipy import stats

from gradlab.augment import RandomErasing
from gradlab.augment.erasing import erased
from gradlab.augment.pixels import to_floats


class SidesSwapped(RandomErasing):
    """Wrong: takes the drawn ratio for width over height."""

    def parameters(self, uniforms: torch.Tensor, *, height: int, width: int) -> torch.Tensor:
        return super().parameters(uniforms, height=width, width=height)[:, [1, 0, 3, 2]]


def check_distribution(kind: type[RandomErasing], torchvision) -> None:
    """Top, left, height and width, for a ratio that is not its own inverse."""
    draws = torch.rand(6000, RandomErasing.uniforms, generator=torch.Generator().manual_seed(0))
    rectangles = kind(p=1, scale=(0.02, 0.33), ratio=(0.3, 3.3)).parameters(draws, height=32, width=32)
    theirs = torchvision["draws/erasing"]
    for column in range(4):
        assert stats.ks_2samp(rectangles[:, column], theirs[:, column]).pvalue > 0.001


def test_blots_are_torchvisions(torchvision):
    found = erased(to_floats(torchvision["images"], torch.float32), torchvision["erasing/rectangles"], 0.25)
    assert torch.equal(found, torchvision["erasing"])


def test_a_rectangle_with_its_sides_swapped_is_told_apart(torchvision):
    images, rectangles = to_floats(torchvision["images"], torch.float32), torchvision["erasing/rectangles"]
    assert not torch.equal(erased(images, rectangles[:, [0, 1, 3, 2]], 0.25), torchvision["erasing"])


def test_rectangles_are_drawn_as_torchvision_draws_them(torchvision):
    check_distribution(RandomErasing, torchvision)


def test_half_the_area_is_told_apart(torchvision):
    class Smaller(RandomErasing):
        def __init__(self, **ranges) -> None:
            super().__init__(**{**ranges, "scale": (0.01, 0.165)})

    with pytest.raises(AssertionError):
        check_distribution(Smaller, torchvision)


def test_a_tall_ratio_gives_tall_rectangles():
    draws = torch.rand(200, RandomErasing.uniforms, generator=torch.Generator().manual_seed(1))
    for kind, tall in ((RandomErasing, True), (SidesSwapped, False)):
        rectangles = kind(p=1, scale=(0.05, 0.1), ratio=(3, 4)).parameters(draws, height=32, width=32)
        assert bool((rectangles[:, 2] > rectangles[:, 3]).all()) is tall


def test_a_share_of_p_is_erased_and_the_others_stay():
    images = torch.ones(1000, 1, 16, 16)
    draws = torch.rand(1000, RandomErasing.uniforms, generator=torch.Generator().manual_seed(2))
    draws[:, 0] = torch.arange(1000) / 1000
    found = RandomErasing(p=0.3)(images, draws).flatten(1).amin(1)
    assert found.tolist() == [0] * 300 + [1] * 700


def test_where_no_rectangle_fits_the_image_stays():
    images = torch.rand(50, 3, 8, 8)
    draws = torch.rand(50, RandomErasing.uniforms, generator=torch.Generator().manual_seed(3))
    transform = RandomErasing(p=1, scale=(1, 1), ratio=(1, 1))
    assert torch.equal(transform(images, draws), images)
    assert transform.parameters(draws, height=8, width=8)[:, 2:].sum() == 0


def test_rectangles_lie_in_the_image_even_for_the_largest_draws():
    for largest in (0.0, 1 - 2**-24):
        draws = torch.full((1, RandomErasing.uniforms), largest)
        top, left, height, width = RandomErasing(p=1).parameters(draws, height=9, width=20)[0].tolist()
        assert 0 <= top <= top + height <= 9
        assert 0 <= left <= left + width <= 20


@pytest.mark.parametrize("wrong", [{"p": 2}, {"scale": (0, 1)}, {"scale": (0.2, 1.1)}, {"ratio": (2, 1)}])
def test_impossible_ranges_are_refused(wrong):
    with pytest.raises(ValueError, match="erasing needs a probability p, 0 < scale <= 1 and 0 < ratio"):
        RandomErasing(**wrong)
