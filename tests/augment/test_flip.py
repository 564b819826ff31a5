import pytest
import torch

from gradlab.augment import RandomHorizontalFlip


def check_mirrors_left_and_right(flip) -> None:
    image = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.uint8)[None, None]
    found = flip(image.expand(2, 2, 2, 3), torch.tensor([[0.49], [0.5]]))
    mirrored = torch.tensor([[3, 2, 1], [6, 5, 4]], dtype=torch.uint8).expand(2, 2, 3)
    assert torch.equal(found[0], mirrored), "a number below p mirrors all channels"
    assert torch.equal(found[1], image[0].expand(2, 2, 3)), "p itself does not"


def upside_down(images: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """Wrong: mirrors top and bottom."""
    return torch.where((uniforms < 0.5).view(-1, 1, 1, 1), images.flip(-2), images)


def test_it_mirrors_left_and_right():
    check_mirrors_left_and_right(RandomHorizontalFlip())


def test_upside_down_is_told_apart():
    with pytest.raises(AssertionError):
        check_mirrors_left_and_right(upside_down)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_twice_is_nothing_and_the_type_stays(dtype):
    images = torch.randint(0, 256, (5, 3, 4, 6), generator=torch.Generator().manual_seed(0)).to(dtype)
    flip, uniforms = RandomHorizontalFlip(0.7), torch.linspace(0, 0.99, 5).view(-1, 1)
    assert flip(images, uniforms).dtype == dtype
    assert torch.equal(flip(flip(images, uniforms), uniforms), images)


@pytest.mark.parametrize(("p", "mirrored"), [(0.0, 0), (0.25, 250), (1.0, 1000)])
def test_the_share_of_mirrored_images_is_p(p, mirrored):
    images = torch.tensor([0, 1]).view(1, 1, 1, 2).expand(1000, 1, 1, 2)
    uniforms = (torch.arange(1000) / 1000).view(-1, 1)
    assert RandomHorizontalFlip(p)(images, uniforms)[:, 0, 0, 0].sum() == mirrored


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_other_numbers_are_no_probabilities(p):
    with pytest.raises(ValueError, match="p must be a probability: got"):
        RandomHorizontalFlip(p)


def test_one_number_a_sample():
    assert RandomHorizontalFlip().uniforms == 1
