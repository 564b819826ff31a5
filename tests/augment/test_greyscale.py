import pytest
import torch

from gradlab.augment import RandomGrayscale


def check_torchvisions(change, torchvision) -> None:
    found = change(torchvision["images"], torch.zeros(8, 1))
    torch.testing.assert_close(found, torchvision["grey"], rtol=0, atol=1e-6)


def plain_mean(images: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """Wrong: red, green and blue count alike."""
    return (images.float() / 255).mean(1, keepdim=True).expand(-1, 3, -1, -1)


def test_grey_is_torchvisions(torchvision):
    check_torchvisions(RandomGrayscale(0.2), torchvision)


def test_a_plain_mean_is_told_apart(torchvision):
    with pytest.raises(AssertionError):
        check_torchvisions(plain_mean, torchvision)


def test_a_share_of_p_becomes_grey_and_the_others_stay_exactly():
    images = torch.rand(1000, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    uniforms = (torch.arange(1000) / 1000).view(-1, 1)
    found = RandomGrayscale(0.2)(images, uniforms)
    assert torch.equal(found[200:], images[200:])
    assert torch.equal(found[:200, 0], found[:200, 2])


def test_one_channel_is_grey_already():
    images = torch.rand(5, 1, 3, 3)
    assert torch.equal(RandomGrayscale(1.0)(images, torch.zeros(5, 1)), images)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_other_numbers_are_no_probabilities(p):
    with pytest.raises(ValueError, match="p must be a probability: got"):
        RandomGrayscale(p)
