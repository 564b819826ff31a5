"""The diagonal Gaussian against torch's normal distribution, and its divergence by counting draws."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from gradlab import rng
from gradlab.nn import ReparameterizedDiagonalGaussian, gaussian_kl

number = st.floats(-3, 3)


def gaussian(*pairs):
    mu, log_sigma = torch.tensor(pairs, dtype=torch.float64).T
    return ReparameterizedDiagonalGaussian(mu, log_sigma)


def torch_s(ours):
    return Normal(ours.mu, ours.log_sigma.exp())


@settings(max_examples=50, deadline=None)
@given(mu=number, log_sigma=number, other_mu=number, other_log_sigma=number, value=number)
def test_equals_torch_s_normal_distribution(mu, log_sigma, other_mu, other_log_sigma, value):
    first, second = gaussian((mu, log_sigma)), gaussian((other_mu, other_log_sigma))
    close = dict(rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(first.log_prob(torch.tensor([value])), torch_s(first).log_prob(torch.tensor([value])),
                               check_dtype=False, **close)  # fmt: skip
    torch.testing.assert_close(gaussian_kl(first, second), kl_divergence(torch_s(first), torch_s(second)), **close)
    assert gaussian_kl(first, second) >= -1e-12
    for name in ("mean", "stddev", "variance"):
        torch.testing.assert_close(getattr(first, name), getattr(torch_s(first), name), **close)


def test_a_distribution_is_at_no_distance_from_itself():
    same = gaussian((0.3, -1.2), (5.0, 2.0))
    assert torch.equal(gaussian_kl(same, same), torch.zeros(2, dtype=torch.float64))


def test_the_divergence_is_the_mean_of_the_one_sample_estimates():
    """Within five standard errors of a million draws; some estimates are negative, as the closed form never is."""
    q, p = gaussian((0.5, -0.4), (-1.0, 0.3)), gaussian((0.0, 0.0), (0.2, -0.1))
    draws = q.sample((1_000_000,), generator=rng.generator(0, "divergence"))
    estimates = q.log_prob(draws) - p.log_prob(draws)
    errors = estimates.std(0) / 1000
    assert ((estimates.mean(0) - gaussian_kl(q, p)).abs() < 5 * errors).all()
    assert (estimates < 0).any()


def test_draws_have_the_moments_and_a_generator_repeats_them():
    q = gaussian((0.5, -0.4), (-1.0, 0.3))
    draws = q.sample((200_000,), generator=rng.generator(0, "moments"))
    assert ((draws.mean(0) - q.mean).abs() < 5 * q.stddev / 200_000**0.5).all()
    assert ((draws.std(0) / q.stddev - 1).abs() < 5 / 400_000**0.5).all()
    assert torch.equal(draws, q.sample((200_000,), generator=rng.generator(0, "moments")))


def test_without_a_generator_the_global_one_draws():
    q = gaussian((0.5, -0.4))
    with rng.global_stream(1, "codes"):
        first = q.rsample()
    with rng.global_stream(1, "codes"):
        assert torch.equal(first, q.rsample())


def test_gradients_reach_both_parameters_through_a_sample_and_not_through_a_plain_draw():
    mu, log_sigma = (torch.zeros(3, requires_grad=True) for _ in range(2))
    q = ReparameterizedDiagonalGaussian(mu, log_sigma)
    z = q.rsample()
    z.sum().backward()
    torch.testing.assert_close(mu.grad, torch.ones(3))
    torch.testing.assert_close(log_sigma.grad, z.detach())  # sigma is 1 and mu 0: d z / d log sigma = noise = z
    assert not q.sample().requires_grad


def test_extreme_deviations_stay_finite():
    q = gaussian((0.0, -300.0), (0.0, 300.0))
    assert q.log_prob(torch.zeros(2, dtype=torch.float64)).isfinite().all()
    assert gaussian_kl(q, gaussian((0.0, 0.0), (0.0, 300.0))).isfinite().all()


def test_it_is_one_of_torch_s_distributions():
    q = gaussian((0.5, -0.4), (-1.0, 0.3))
    assert isinstance(q, torch.distributions.Distribution)
    assert (q.batch_shape, q.event_shape, q.has_rsample) == ((2,), (), True)
    assert q.sample(torch.Size([4])).shape == (4, 2)
    assert "log_sigma" in repr(q)


def test_parameters_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape: got \(2,\) and \(3,\)"):
        ReparameterizedDiagonalGaussian(torch.zeros(2), torch.zeros(3))
