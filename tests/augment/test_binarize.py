"""Binarised pixels: their probabilities, and that the draws decide."""

import pytest
import torch

from gradlab.augment import Binarize


@pytest.mark.parametrize("images", [torch.tensor([0, 102, 255], dtype=torch.uint8), torch.tensor([0.0, 0.4, 1.0])])
def test_a_pixel_is_white_where_its_number_lies_below_its_brightness(images):
    batch = images.view(1, 1, 1, 3).expand(4, 1, 1, 3)
    uniforms = torch.tensor([0.0, 0.39, 0.41, 0.999]).view(4, 1).expand(4, 3)
    found = Binarize((1, 1, 3))(batch, uniforms)
    assert found.dtype == torch.float32
    assert found.view(4, 3).tolist() == [[0, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1]]


def test_every_pixel_has_a_number_of_its_own():
    binarize = Binarize((1, 2, 2))
    assert binarize.uniforms == 4
    grey = torch.full((1, 1, 2, 2), 128, dtype=torch.uint8)
    assert binarize(grey, torch.tensor([[0.1, 0.9, 0.6, 0.4]])).flatten().tolist() == [1, 0, 0, 1]


def test_on_average_it_is_the_image():
    binarize = Binarize((1, 1, 5))
    grey = torch.tensor([0.0, 0.1, 0.5, 0.8, 1.0]).view(1, 1, 1, 5).expand(20_000, 1, 1, 5)
    share = binarize(grey, torch.rand(20_000, 5, generator=torch.Generator().manual_seed(0))).mean(0).flatten()
    assert share.tolist() == pytest.approx([0.0, 0.1, 0.5, 0.8, 1.0], abs=0.02)
