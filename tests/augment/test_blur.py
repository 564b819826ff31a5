import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from scipy import stats
from torch import Tensor
from torch.nn import functional as F

from gradlab.augment import GaussianBlur
from gradlab.augment.blur import bell, blurred
from gradlab.augment.pixels import to_floats


def edge_repeated(images: Tensor, sigma: Tensor, kernel_size: int) -> Tensor:
    """Wrong: the outermost pixel goes on beyond the edge, where it should be a mirror."""
    weights, margin = bell(sigma, kernel_size), kernel_size // 2
    padded = F.pad(images, (margin, margin, margin, margin), mode="replicate")
    return torch.stack([
        F.conv2d(image.unsqueeze(1), torch.outer(row, row)[None, None]).squeeze(1)
        for image, row in zip(padded, weights, strict=True)
    ])  # fmt: skip


def check_torchvisions(blur, torchvision) -> None:
    for size in (3, 5):
        found = blur(to_floats(torchvision["images"], torch.float32), torchvision[f"blur/sigma {size}"], size)
        torch.testing.assert_close(found, torchvision[f"blur {size}"], rtol=0, atol=1e-6)


def test_blurs_are_torchvisions(torchvision):
    check_torchvisions(blurred, torchvision)


def test_a_repeated_edge_is_told_apart(torchvision):
    with pytest.raises(AssertionError):
        check_torchvisions(edge_repeated, torchvision)


@pytest.mark.parametrize("size", [1, 3, 9])
def test_it_equals_scipys_correlation_in_double_precision(size):
    images = torch.rand(4, 2, 9, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([0.1, 0.7, 2.0, 5.0], dtype=torch.float64)
    found = blurred(images, sigma, size).numpy()
    for image, width, expected in zip(images.numpy(), sigma.tolist(), found, strict=True):
        weights = np.array([math.exp(-0.5 * ((k - size // 2) / width) ** 2) for k in range(size)])
        weights /= weights.sum()
        once = scipy.ndimage.correlate1d(image, weights, axis=1, mode="mirror")
        np.testing.assert_allclose(
            expected, scipy.ndimage.correlate1d(once, weights, axis=2, mode="mirror"), atol=1e-13
        )


def test_widths_are_drawn_as_torchvision_draws_them(torchvision):
    draws = torch.rand(4000, 1, generator=torch.Generator().manual_seed(0))
    assert stats.ks_2samp(GaussianBlur(3).parameters(draws), torchvision["draws/sigma"]).pvalue > 0.001
    assert stats.ks_2samp(GaussianBlur(3, (0.1, 0.5)).parameters(draws), torchvision["draws/sigma"]).pvalue < 1e-6


def test_an_even_picture_stays():
    images = torch.full((2, 3, 6, 6), 0.3)
    torch.testing.assert_close(GaussianBlur(5)(images, torch.tensor([[0.1], [0.9]])), images, rtol=0, atol=1e-6)


def test_a_view_does_not_depend_on_the_batch_around_it():
    generator = torch.Generator().manual_seed(3)
    images, uniforms = torch.rand(40, 3, 32, 32, generator=generator), torch.rand(40, 1, generator=generator)
    together = GaussianBlur(3)(images, uniforms)
    for size in (1, 3, 16):
        parts = [GaussianBlur(3)(*part) for part in zip(images.split(size), uniforms.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together), f"batches of {size}"


@pytest.mark.parametrize("wrong", [{"kernel_size": 2}, {"kernel_size": -1}, {"sigma": (0, 1)}, {"sigma": (2, 1)}])
def test_impossible_bells_are_refused(wrong):
    with pytest.raises(ValueError, match=r"a blur needs an odd kernel_size and 0 < sigma, a range ascending: got"):
        GaussianBlur(**{"kernel_size": 3, **wrong})


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="images of 9x4 are too small for a kernel of 9: take a smaller one"):
        GaussianBlur(9)(torch.zeros(1, 1, 9, 4), torch.zeros(1, 1))
