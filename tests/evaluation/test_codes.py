"""Pictures of codes: which way the axes run, where the ends of a way are, and that the draws are named."""

import pytest
import torch

from gradlab import rng
from gradlab.evaluation import decoded, examine_codes, posterior_means, quantile_grid
from gradlab.models import VariationalAutoencoder


def model_of(latent):
    with rng.global_stream(0, "initial weights"):
        return VariationalAutoencoder((1, 3, 4), latent)


@pytest.fixture
def images():
    return torch.rand(20, 1, 3, 4, generator=rng.generator(0, "images")).round()


@pytest.fixture
def labels():
    return torch.arange(20) % 3


def test_the_grid_has_the_first_number_rising_to_the_right_and_the_second_upwards():
    grid = quantile_grid(3).view(3, 3, 2)
    assert grid[0, 0].tolist() == pytest.approx([-0.9674, 0.9674], abs=1e-4)
    assert grid[0, 2].tolist() == pytest.approx([0.9674, 0.9674], abs=1e-4)
    assert grid[2, 0].tolist() == pytest.approx([-0.9674, -0.9674], abs=1e-4)
    assert grid[1, 1].tolist() == pytest.approx([0, 0], abs=1e-6)


def test_a_way_leads_from_the_first_class_to_the_last(images, labels):
    model = model_of(4)
    found = examine_codes(model, images, labels, 0)
    assert (found["originals"] == (255 * images[:3, 0]).numpy()).all()
    assert (found["reconstructions"] == decoded(model, posterior_means(model, images[:3]))).all()
    assert (found["way"][0] == found["reconstructions"][0]).all()
    assert (found["way"][-1] == found["reconstructions"][-1]).all()
    middle = posterior_means(model, images[:3])[[0, 2]].mean(0, keepdim=True)
    assert (found["way"][len(found["way"]) // 2] == decoded(model, middle)[0]).all()
    assert found["codes"].shape == (20, 4)
    assert (found["labels"] == labels.numpy()).all()
    assert "manifold" not in found


def test_only_codes_of_two_numbers_fill_a_plane(images, labels):
    found = examine_codes(model_of(2), images, labels, 0)
    middle = found["manifold"][len(found["manifold"]) // 2]
    assert (middle == decoded(model_of(2), torch.zeros(1, 2))[0]).all()


def test_draws_from_the_prior_follow_the_seed(images, labels):
    model = model_of(2)
    first, again, other = (examine_codes(model, images, labels, seed)["samples"] for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_brightness_is_the_probability_of_each_pixel():
    model = model_of(2)
    last = list(model.decoder.parameters())
    with torch.no_grad():
        last[-2].zero_()
        last[-1].copy_(torch.linspace(-3, 3, 12))
    expected = (255 * torch.linspace(-3, 3, 12).sigmoid()).round().view(3, 4)
    assert (torch.from_numpy(decoded(model, torch.ones(1, 2))[0]) == expected).all()
