"""Bounds on the evidence, held against a network whose evidence is known."""

import math

import pytest
import torch
from torch.nn import functional as F

from gradlab import rng
from gradlab.evaluation import active_dimensions, importance_weighted_elbo, measure_evidence, posterior_means
from gradlab.models import VariationalAutoencoder


@pytest.fixture
def model():
    with rng.global_stream(0, "initial weights"):
        return VariationalAutoencoder((1, 2, 3), 1).double()


@pytest.fixture
def images():
    return torch.rand(7, 1, 2, 3, generator=rng.generator(0, "images")).round()


def evidence(model, images):
    """log p(x) of each image by summing over a fine grid of codes, which one number allows."""
    codes = torch.linspace(-8, 8, 4001, dtype=torch.float64).view(-1, 1)
    with torch.no_grad():
        logits = model.decoder(codes)
        targets = images.flatten(1).double()
        log_px = -F.binary_cross_entropy_with_logits(
            logits.unsqueeze(1).expand(-1, len(targets), -1), targets.expand(len(codes), -1, -1), reduction="none"
        ).sum(-1)
        prior = -0.5 * codes.square() - 0.5 * math.log(2 * math.pi)
        return (log_px + prior).logsumexp(0) + math.log(16 / 4000)


def test_the_bound_is_its_parts_and_below_the_evidence(model, images):
    with rng.global_stream(0, "codes"):
        found = measure_evidence(model, images.repeat(400, 1, 1, 1))
    assert found["elbo"] == found["log_px"] - found["kl"]
    assert found["kl"] > 0
    assert found["elbo"] < evidence(model, images).mean().item() - 0.001


def test_more_samples_come_closer_and_never_pass(model, images):
    with torch.no_grad():  # a posterior far from the true one, so that the bounds differ
        list(model.encoder.parameters())[-1].copy_(torch.tensor([1.0, 0.0]))
    many, truth = images.repeat(300, 1, 1, 1), evidence(model, images).mean().item()
    with rng.global_stream(0, "codes"):
        bounds = [importance_weighted_elbo(model, many, samples) for samples in (1, 5, 100)]
        plain = measure_evidence(model, many)["elbo"]
    assert bounds == sorted(bounds)
    assert bounds[0] == pytest.approx(plain, abs=0.1), "one sample estimates the evidence lower bound"
    assert plain < truth - 0.2
    assert bounds[2] == pytest.approx(truth, abs=0.03)


def test_the_draws_decide(model, images):
    found = []
    for purpose in ("a", "a", "b"):
        with rng.global_stream(0, purpose):
            found.append((measure_evidence(model, images)["elbo"], importance_weighted_elbo(model, images, 3)))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_dimension_that_says_nothing_is_not_active(images):
    with rng.global_stream(1, "initial weights"):
        model = VariationalAutoencoder((1, 2, 3), 3)
    weights = list(model.encoder.parameters())[-2]
    with torch.no_grad():
        weights.mul_(20)
        weights[1] = 0  # the posterior mean of the second number is its bias
    assert active_dimensions(model, images) == 2
    torch.testing.assert_close(posterior_means(model, images), model.posterior(images).mean.detach())


def test_no_sample_is_no_bound(model, images):
    with pytest.raises(ValueError, match="at least 1 sample: got 0"):
        importance_weighted_elbo(model, images, 0)
