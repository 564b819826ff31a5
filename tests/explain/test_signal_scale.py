"""Scales of signals: by hand in small networks, and theory against wide ones."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.explain import NONLINEARITIES, expected_scales, signal_scales


def linear(weight):
    layer = nn.Linear(len(weight[0]), len(weight), bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
    return layer


def test_scales_by_hand():
    layers = [linear([[3.0, 0.0], [0.0, -4.0]]), linear([[1.0, 1.0], [0.0, 2.0]])]
    inputs, gradient = torch.tensor([[1.0, 1.0]]).double(), torch.tensor([[1.0, 0.0]]).double()
    found = signal_scales(layers, "ReLU", inputs, gradient)
    # (1, 1) -> (3, -4) -> (3, 0) -> (3, 0); the gradient (1, 0) -> (1, 1) -> (1, 0) behind the ReLU -> (3, 0).
    assert found.activations == pytest.approx((1, 3 / math.sqrt(2), 3 / math.sqrt(2)))
    assert found.gradients == pytest.approx((3 / math.sqrt(2), 1, 1 / math.sqrt(2)))
    assert found.forward_growth() == pytest.approx((3 / math.sqrt(2)) ** 0.5)
    assert found.backward_growth() == pytest.approx(3**0.5)


@pytest.mark.parametrize(("name", "gain", "factor"), [("ReLU", 2.0, 1.0), ("ReLU", 1.0, 0.5**0.5),
                                                      ("identity", 2.0, 2**0.5), ("identity", 1.0, 1.0)])  # fmt: skip
def test_theory_has_known_factors(name, gain, factor):
    found = expected_scales(gain, name, 12)
    assert found.activations == pytest.approx([factor**layer for layer in range(13)])
    assert found.gradients == pytest.approx([factor ** (12 - layer) for layer in range(13)])


def test_theory_of_one_tanh_layer_is_its_integral():
    z = np.linspace(-12, 12, 200_001)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    found = expected_scales(1.5, "tanh", 1)
    inside = math.sqrt(1.5) * z
    assert found.activations[1] ** 2 == pytest.approx(np.trapezoid(np.tanh(inside) ** 2 * density, z), rel=1e-6)
    slope = np.trapezoid((1 - np.tanh(inside) ** 2) ** 2 * density, z)
    assert found.gradients[0] ** 2 == pytest.approx(1.5 * slope, rel=1e-6)


def test_nothing_passes_zero_weights():
    found = expected_scales(0.0, "tanh", 3)
    assert found.activations == (1, 0, 0, 0)
    assert found.gradients == (0, 0, 0, 1)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_wide_layers_follow_theory(name):
    width, depth, generator = 512, 6, torch.Generator().manual_seed(0)
    layers = []
    for _ in range(depth):
        layers.append(nn.Linear(width, width, bias=False))
        nn.init.normal_(layers[-1].weight, 0, (1.5 / width) ** 0.5, generator=generator)
    inputs, gradient = torch.randn(2, 128, width, generator=generator)
    found, expected = signal_scales(layers, name, inputs, gradient), expected_scales(1.5, name, depth)
    assert found.activations == pytest.approx(expected.activations, rel=0.06)
    assert found.gradients == pytest.approx(expected.gradients, rel=0.06)
    # A step back without the slope of the nonlinearity would be off by far more.
    without = tuple(1.5 ** ((depth - layer) / 2) for layer in range(depth + 1))
    assert name == "identity" or found.gradients[0] != pytest.approx(without[0], rel=0.2)
