"""The evidence lower bound: against its definition, a known evidence, and the two ways to its divergence."""

import functools
import math

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from gradlab import rng
from gradlab.models import VariationalAutoencoder
from gradlab.nn import ReparameterizedDiagonalGaussian
from gradlab.objectives import VariationalInference, negative_elbo, reduce


@pytest.fixture
def model():
    with rng.global_stream(0, "initial weights"):
        return VariationalAutoencoder((1, 3, 4), 2).double()


@pytest.fixture
def images():
    return torch.rand(5, 1, 3, 4, generator=rng.generator(0, "images"), dtype=torch.float64)


def test_reduce_sums_each_image():
    x = torch.arange(24.0).view(2, 3, 4)
    assert reduce(x).tolist() == [66, 210]


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("divergence", ["one sample", "closed form"])
def test_is_its_definition(beta, divergence, model, images):
    loss, diagnostics, outputs = VariationalInference(beta, divergence)(model, images)
    q = Normal(outputs["qz"].mean, outputs["qz"].stddev)
    p, z = Normal(torch.zeros_like(q.mean), torch.ones_like(q.stddev)), outputs["z"]
    log_px = Bernoulli(logits=model.decoder(z), validate_args=False).log_prob(images.flatten(1)).sum(1)
    exact, sampled = kl_divergence(q, p).sum(1), (q.log_prob(z) - p.log_prob(z)).sum(1)
    kl = exact if divergence == "closed form" else sampled
    torch.testing.assert_close(loss, -(log_px - beta * kl).mean())
    for name, expected in {"log_px": log_px, "kl": kl, "elbo": log_px - kl}.items():
        torch.testing.assert_close(diagnostics[name], expected.detach())
        assert not diagnostics[name].requires_grad
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_two_ways_agree_on_average_and_only_one_is_ever_negative(model, images):
    """Within five standard errors, loss and gradient, over 500 draws of codes each."""
    last = list(model.encoder.parameters())[-1]
    found = {}
    for divergence in ("one sample", "closed form"):
        inference, losses, gradients, smallest = VariationalInference(1.0, divergence), [], [], math.inf
        with rng.global_stream(1, divergence):
            for _ in range(500):
                loss, diagnostics, _ = inference(model, images)
                losses.append(loss.detach())
                gradients.append(torch.autograd.grad(loss, last)[0])
                smallest = min(smallest, diagnostics["kl"].min().item())
        found[divergence] = torch.stack(losses), torch.stack(gradients), smallest
    for first, second in zip(found["one sample"][:2], found["closed form"][:2], strict=True):
        error = ((first.var(0) + second.var(0)) / 500).sqrt()
        assert ((first.mean(0) - second.mean(0)).abs() < 5 * error).all()
    assert found["one sample"][2] < 0 <= found["closed form"][2]


class KnownEvidence(nn.Module):
    """p(z) = N(0, 1), p(x|z) = N(z, 1): then p(x) = N(0, 2) and p(z|x) = N(x / 2, 1 / 2), exactly."""

    def __init__(self, exact: bool) -> None:
        super().__init__()
        self.exact = exact

    def forward(self, x):
        scale = 0.5 if self.exact else 0.3
        log_sigma = torch.full_like(x, 0.5 * math.log(scale))
        qz = ReparameterizedDiagonalGaussian(x / 2 if self.exact else x / 3, log_sigma)
        z = qz.rsample()
        pz = ReparameterizedDiagonalGaussian(torch.zeros_like(x), torch.zeros_like(x))
        return {"px": Normal(z, 1.0), "pz": pz, "qz": qz, "z": z}


def test_the_bound_is_the_evidence_for_the_true_posterior_and_lies_below_for_another():
    x = torch.linspace(-2, 2, 9, dtype=torch.float64).view(-1, 1)
    evidence = Normal(0.0, 2**0.5).log_prob(x).squeeze(1)
    _, diagnostics, _ = VariationalInference(divergence="one sample")(KnownEvidence(exact=True), x)
    torch.testing.assert_close(diagnostics["elbo"], evidence)  # whatever z: log p(x, z) - log p(z|x) is log p(x)
    q = Normal(x / 3, 0.3**0.5)
    gap = kl_divergence(q, Normal(x / 2, 0.5**0.5)).squeeze(1)
    draws = x.repeat(40_000, 1)
    for divergence in ("one sample", "closed form"):
        with rng.global_stream(0, divergence):
            _, diagnostics, _ = VariationalInference(divergence=divergence)(KnownEvidence(exact=False), draws)
        elbo = diagnostics["elbo"].view(40_000, 9)
        error = elbo.std(0) / 200
        assert ((elbo.mean(0) - (evidence - gap)).abs() < 5 * error).all()


def test_images_without_their_channel_axis_do_not_broadcast(model, images):
    inference = VariationalInference(divergence="closed form")
    with rng.global_stream(0, "codes"):
        expected = inference(model, images)[0]
    for shaped in (images.squeeze(1), images.flatten(1)):
        with rng.global_stream(0, "codes"):
            torch.testing.assert_close(inference(model, shaped)[0], expected)
    px = model(images)["px"]
    assert px.log_prob(images.squeeze(1)).shape == (5, 5, 3, 4)  # the handbook's way


def test_for_training_it_gives_sums_and_the_closed_form(model, images):
    with rng.global_stream(0, "codes"):
        loss, sums = negative_elbo(model, images, torch.zeros(5))
    with rng.global_stream(0, "codes"):
        expected, diagnostics, _ = VariationalInference(1.0, "closed form")(model, images)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(-sums["elbo"] / 5, expected.detach())
    assert {name: total.item() for name, total in sums.items()} == pytest.approx(
        {name: values.sum().item() for name, values in diagnostics.items()}
    )
    with rng.global_stream(0, "codes"):
        heavier, same = functools.partial(negative_elbo, beta=4.0)(model, images, torch.zeros(5))
    torch.testing.assert_close(heavier - loss, 3 * sums["kl"] / 5)
    torch.testing.assert_close(same["elbo"], sums["elbo"])


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="must not be negative: got -1"):
        VariationalInference(-1)
    with pytest.raises(ValueError, match="'closed form' or 'one sample': got 'exact'"):
        VariationalInference(1.0, "exact")
