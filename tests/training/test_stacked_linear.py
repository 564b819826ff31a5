"""Linear layers of a stack: torch's numbers, and slopes that need not be turned."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from gradlab.training.stacked_linear import multiply_from_the_left


def passed(layers, inputs, *, left):
    """Outputs of a stack of layers, and the slopes of its weights."""
    shared = copy.deepcopy(layers[0])
    if left:
        multiply_from_the_left(shared)
    parameters, _ = stack_module_state(layers)
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}
    outputs = vmap(lambda weights, x: functional_call(shared, weights, (x,)))(leaves, inputs)
    outputs.sin().sum().backward()
    return outputs, {name: leaf.grad for name, leaf in leaves.items()}


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_numbers_and_slopes_are_those_of_torch(shape, bias):
    layers = [nn.Linear(3, 7, bias=bias).double() for _ in range(4)]
    inputs = torch.randn(4, *shape, dtype=torch.float64)
    expected, expected_slopes = passed(layers, inputs, left=False)
    found, slopes = passed(layers, inputs, left=True)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    for name, slope in slopes.items():
        torch.testing.assert_close(slope, expected_slopes[name], rtol=0, atol=1e-12)


def test_under_autocast_a_replica_is_of_the_type_that_the_layer_on_its_own_gives():
    """Torch's own rule for `vmap` adds a bias in single precision, and the rest of the network would be in it too."""
    layers, inputs = [nn.Linear(3, 7) for _ in range(2)], torch.randn(2, 5, 3)
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        found = passed(layers, inputs, left=True)[0]
        for replica, layer, x in zip(found, layers, inputs, strict=True):
            torch.testing.assert_close(replica, layer(x), rtol=0.02, atol=0.02)


def test_the_product_of_a_slope_has_the_weight_s_layout(monkeypatch):
    """A transposed one would be copied into it by autograd."""
    seen = []
    weight = torch.randn(2, 7, 3, requires_grad=True)
    weight.register_hook(lambda slope: seen.append(slope.is_contiguous()))
    shared = nn.Linear(3, 7, bias=False)
    multiply_from_the_left(shared)
    vmap(lambda w, x: functional_call(shared, {"weight": w}, (x,)))(weight, torch.randn(2, 5, 3)).sum().backward()
    assert seen == [True]


def test_kinds_of_layers_of_one_s_own_are_left_alone():
    class Doubled(nn.Linear):
        def forward(self, input):
            return 2 * super().forward(input)

    model = nn.Sequential(Doubled(3, 7), nn.Linear(7, 2))
    x = torch.randn(5, 3)
    expected = model(x)
    multiply_from_the_left(model)
    torch.testing.assert_close(model(x), expected)
