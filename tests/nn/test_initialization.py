"""Initial weights: their variances, and what becomes of a signal on its way through many layers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gradlab import rng
from gradlab.nn import initialization as init

WAYS = {
    "kaiming": (init.kaiming, lambda inputs, _outputs: 2 / inputs),
    "xavier": (init.xavier, lambda inputs, outputs: 2 / (inputs + outputs)),
    "recurrent": (init.recurrent, lambda inputs, _outputs: 1 / inputs),
    "small normal": (lambda m, generator: init.small_normal(m, std=0.02, generator=generator), lambda *_: 0.02**2),
    "small uniform": (lambda m, generator: init.small_uniform(m, bound=0.1, generator=generator), lambda *_: 0.01 / 3),
}


def close_to(variance, weight):
    """Within five standard errors: the variance's is at most sqrt(2 / n) of it, for normal and for uniform numbers."""
    return abs(weight.square().mean().item() / variance - 1) < 5 * math.sqrt(2 / weight.numel())


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=15, deadline=None)
@given(inputs=st.integers(30, 300), outputs=st.integers(30, 300), seed=st.integers(0, 10_000))
def test_the_variance_is_the_one_that_was_promised(way, inputs, outputs, seed):
    fill, variance = WAYS[way]
    layer = fill(nn.Linear(inputs, outputs), generator=rng.generator(seed, "weights"))
    assert close_to(variance(inputs, outputs), layer.weight)
    assert (layer.bias == 0).all()


@pytest.mark.parametrize("way", WAYS)
def test_convolutions_count_every_number_that_a_unit_sees(way):
    fill, variance = WAYS[way]
    layer = fill(nn.Conv2d(16, 24, 3), generator=rng.generator(0, "weights"))
    assert close_to(variance(16 * 9, 24 * 9), layer.weight)
    back = fill(nn.ConvTranspose2d(16, 24, 3), generator=rng.generator(0, "weights"))
    assert close_to(variance(16 * 9, 24 * 9), back.weight)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("way", WAYS)
def test_each_gate_of_a_recurrent_layer_is_a_map_of_its_own(way, kind):
    fill, variance = WAYS[way]
    layer = fill(kind(40, 60, num_layers=2), generator=rng.generator(0, "weights"))
    for name, inputs in [("weight_ih_l0", 40), ("weight_hh_l0", 60), ("weight_ih_l1", 60)]:
        for gate in getattr(layer, name).split(60):
            assert close_to(variance(inputs, 60), gate)
    assert all((parameter == 0).all() for name, parameter in layer.named_parameters() if name.startswith("bias"))


def test_projections_of_attention_are_maps_of_their_own():
    layer = init.xavier(nn.MultiheadAttention(64, 4), generator=rng.generator(0, "weights"))
    for projection in (*layer.in_proj_weight.split(64), layer.out_proj.weight):
        assert close_to(2 / 128, projection)
    apart = init.xavier(nn.MultiheadAttention(64, 4, kdim=32, vdim=48), generator=rng.generator(0, "weights"))
    assert close_to(2 / (64 + 32), apart.k_proj_weight)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_orthogonal_gates_have_singular_values_of_one(kind):
    layer = init.orthogonal(kind(5, 12).double())
    for gate in (*layer.weight_hh_l0.split(12), *layer.weight_ih_l0.split(12)):
        torch.testing.assert_close(torch.linalg.svdvals(gate), torch.ones(min(gate.shape), dtype=torch.float64))
    whole = nn.init.orthogonal_(torch.empty(48, 12, dtype=torch.float64))  # a wrong way: all gates as one map
    assert torch.linalg.svdvals(whole[:12]).max() < 0.99


def test_a_linear_recurrence_keeps_its_state_s_length_only_if_orthogonal():
    state = torch.randn(20, dtype=torch.float64, generator=rng.generator(0, "state"))
    lengths = {}
    for fill in (init.orthogonal, init.kaiming, init.small_normal):
        weight = fill(nn.Linear(20, 20).double(), generator=rng.generator(1, "weights")).weight
        lengths[fill] = (torch.linalg.matrix_power(weight, 200) @ state).norm() / state.norm()
    assert lengths[init.orthogonal].item() == pytest.approx(1, abs=1e-10)
    assert lengths[init.kaiming] > 1e6
    assert lengths[init.small_normal] < 1e-100


def scale_after(fill, depth=20, width=128):
    """The mean square of the last pre-activation, over that of the first, and the same of the gradient, backwards.

    The mean of their logarithms over 20 networks: for ReLU networks the logarithm's deviation is about
    sqrt(5 depth / width) (Hanin 2018), 0.88 here, so the mean's is 0.2.
    """
    forward, backward = [], []
    for seed in range(20):
        generator = rng.generator(seed, "depth")
        layers = [fill(nn.Linear(width, width), generator=generator) for _ in range(depth)]
        signal = torch.randn(8, width, generator=generator).requires_grad_()
        outputs = [layers[0](signal)]
        for layer in layers[1:]:
            outputs.append(layer(outputs[-1].relu()))
        (gradient,) = torch.autograd.grad(outputs[-1], outputs[0], torch.randn(8, width, generator=generator))
        forward.append((outputs[-1].square().mean() / outputs[0].square().mean()).log())
        backward.append(gradient.square().mean().log())
    return torch.stack(forward).mean().item(), torch.stack(backward).mean().item()


def test_kaiming_keeps_the_scale_through_twenty_relu_layers_and_the_others_do_not():
    spread = 5 * 20 / 128 / 2  # a lognormal of mean 1 and this variance of its logarithm has its median below 1
    for log_scale in scale_after(init.kaiming):
        assert abs(log_scale + spread) < 0.9
    for log_scale in scale_after(init.xavier):  # every layer halves the mean square
        assert abs(log_scale + 19 * math.log(2) + spread) < 0.9
    assert scale_after(init.small_normal)[0] < -60


def test_variance_one_in_inputs_keeps_a_relu_recurrence_at_variance_one_and_he_s_lets_it_grow():
    """The mean square of the pre-activation over time, fed with ReLU units, as the cheat-sheet derives it."""

    def after(fill, steps=12, width=400):
        squares = []
        for seed in range(10):
            generator = rng.generator(seed, "time")
            layer = fill(nn.RNN(width, width, nonlinearity="relu"), generator=generator)
            state = torch.zeros(4, width)
            for _ in range(steps):
                fed = torch.randn(4, width, generator=generator).relu()
                pre = fed @ layer.weight_ih_l0.T + state @ layer.weight_hh_l0.T
                state = pre.relu()
            squares.append(pre.square().mean())
        return torch.stack(squares).mean().item()

    assert after(init.recurrent) == pytest.approx(1.0, abs=0.15)
    assert after(init.kaiming) == pytest.approx(12, abs=3)  # one more each step: 1 from the input, all from the state


def test_whole_networks_are_filled_and_other_layers_left_alone():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2), nn.Embedding(3, 2))
    embedding = network[4].weight.clone()
    assert init.kaiming(network) is network
    assert (network[1].weight == 1).all()
    assert torch.equal(network[4].weight, embedding)
    assert (network[0].bias == 0).all()
    assert (network[3].bias == 0).all()


def test_draws_come_from_the_global_stream_where_no_generator_is_given():
    with rng.global_stream(0, "initial weights"):
        first = init.orthogonal(nn.Linear(4, 4)).weight
    with rng.global_stream(0, "initial weights"):
        assert torch.equal(init.orthogonal(nn.Linear(4, 4)).weight, first)
