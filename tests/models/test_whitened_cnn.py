"""The whitened network's parts against covariances, convolutions and views by hand; contracts are tested elsewhere."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.models import SixViews, WhitenedCNN, whitening_filters
from gradlab.models.whitened_cnn import EPSILON, ShiftedBatchNorm, passing_convolution


def pictures(count: int = 40) -> Tensor:
    """Smooth images of three dependent channels, so that their patches are far from white."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, 3, 4, 4, generator=generator, dtype=torch.float64)
    coarse[:, 2] = coarse[:, 0] + 0.3 * coarse[:, 2]
    return F.interpolate(coarse, size=(9, 9), mode="bicubic") + 0.3 * torch.randn(
        count, 3, 9, 9, generator=generator, dtype=torch.float64
    )


def covariance_of_outputs(filters: Tensor) -> Tensor:
    outputs = F.conv2d(pictures(), filters).transpose(0, 1).flatten(1)
    return outputs @ outputs.T / outputs.shape[1]


def check_white(filters: Tensor) -> None:
    assert filters.shape == (24, 3, 2, 2)
    assert torch.equal(filters[12:], -filters[:12])
    torch.testing.assert_close(covariance_of_outputs(filters[:12]), torch.eye(12).double(), rtol=0, atol=20 * EPSILON)


def test_filters_whiten():
    check_white(whitening_filters(pictures()))


def not_divided(images: Tensor) -> Tensor:
    """Wrong: axes of the right directions and all of length 1."""
    filters = whitening_filters(images)
    return filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def of_other_images(images: Tensor) -> Tensor:
    """Wrong: the axes of other data."""
    return whitening_filters(torch.rand_like(images))


@pytest.mark.parametrize("wrong", [not_divided, of_other_images])
def test_mistakes_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_white(wrong(pictures()))


@pytest.mark.parametrize(("c_in", "c_out"), [(3, 7), (4, 4)])
def test_convolutions_begin_by_passing_their_input_through(c_in, c_out):
    images = torch.randn(2, c_in, 5, 5)
    torch.testing.assert_close(passing_convolution(c_in, c_out)(images)[:, :c_in], images)


def test_the_norm_is_torch_s_with_a_bias():
    ours, theirs = ShiftedBatchNorm(3), nn.BatchNorm2d(3, eps=1e-12, momentum=0.4)
    images = torch.randn(4, 3, 5, 5)
    with torch.no_grad():
        ours.shift.copy_(torch.arange(3.0))
        theirs.bias.copy_(torch.arange(3.0))
    torch.testing.assert_close(ours(images), theirs(images))
    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


def test_of_the_full_size_there_are_two_million_parameters_and_a_fixed_whitening():
    network = WhitenedCNN()
    weights = 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256) + 256 * 10
    assert sum(parameter.numel() for parameter in network.parameters()) == weights + 24 + 2 * (64 + 256 + 256)
    assert "whitening" not in dict(network.named_parameters())
    filters = torch.randn(24, 3, 2, 2)
    assert torch.equal(network.whiten(filters).state_dict()["whitening"], filters)


def test_logits_are_a_mean_over_features_with_weights_of_deviation_one():
    network = WhitenedCNN(widths=(8, 12)).eval()
    assert network.head.weight.std().item() == pytest.approx(1)
    images = torch.randn(2, 3, 9, 9)
    white = F.gelu(F.conv2d(images, network.whitening, network.whitening_bias))
    features = network.groups(white).flatten(2).max(2).values
    torch.testing.assert_close(network(images), (features.unsqueeze(1) * network.head.weight).mean(2))


def test_six_views_by_hand():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 5 * 5, 4)).double()
    images = pictures()[:3, :, :5, :5].contiguous()
    padded = F.pad(images, (1, 1, 1, 1), "reflect")
    views = {images: 1 / 4, images.flip(-1): 1 / 4}
    for shifted in (padded[:, :, 0:5, 0:5], padded[:, :, 2:7, 2:7]):
        views |= {shifted: 1 / 8, shifted.flip(-1): 1 / 8}
    expected = sum(weight * network(view) for view, weight in views.items())
    torch.testing.assert_close(SixViews(network)(images), expected)
