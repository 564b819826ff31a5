"""Numbers of replicas under `vmap`: each one's are those that it draws on its own."""

import pytest
import torch
from torch.func import vmap

from gradlab.nn import ReparameterizedDiagonalGaussian, replicas_draw_from, standard_normal

REPLICAS = 3


def sources():
    return [torch.Generator().manual_seed(number) for number in (5, 9, 2)]


def two_draws(mu):
    return standard_normal((4, 5), like=mu), standard_normal((2,), like=mu)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_each_replica_draws_what_it_draws_alone(dtype):
    with replicas_draw_from(sources()):
        large, small = vmap(two_draws)(torch.zeros(REPLICAS, 4, dtype=dtype))
    for replica, source in enumerate(sources()):
        assert torch.equal(large[replica], torch.randn((4, 5), generator=source, dtype=dtype))
        assert torch.equal(small[replica], torch.randn((2,), generator=source, dtype=dtype))


def test_without_replicas_the_numbers_are_the_global_generator_s():
    torch.manual_seed(3)
    expected = torch.randn(4, 5)
    torch.manual_seed(3)
    with replicas_draw_from(sources()):
        assert torch.equal(standard_normal((4, 5), like=torch.zeros(4)), expected)


def test_slopes_go_past_the_noise_to_mean_and_deviation():
    mu = torch.zeros(REPLICAS, 4, requires_grad=True)
    log_sigma = torch.zeros(REPLICAS, 4, requires_grad=True)
    with replicas_draw_from(sources()):
        drawn = vmap(lambda *both: ReparameterizedDiagonalGaussian(*both).rsample())(mu, log_sigma)
    drawn.sum().backward()
    assert torch.equal(mu.grad, torch.ones(REPLICAS, 4))
    torch.testing.assert_close(log_sigma.grad, drawn.detach())  # the noise itself, where sigma is 1


def test_a_context_that_is_left_draws_no_more():
    def failing(_mu):
        raise ValueError("within")

    with pytest.raises(ValueError, match="within"), replicas_draw_from(sources()):
        vmap(failing)(torch.zeros(REPLICAS, 4))
    with pytest.raises(RuntimeError, match="random"):
        vmap(two_draws)(torch.zeros(REPLICAS, 4))


def test_as_many_sources_as_replicas():
    with pytest.raises(AssertionError, match="a generator for each replica"), replicas_draw_from(sources()[:2]):
        vmap(two_draws)(torch.zeros(REPLICAS, 4))
