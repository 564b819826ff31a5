from itertools import pairwise

import pytest
import torch
from torch import nn

from gradlab.nn import kaiming_fan_out


def fan_in(network: nn.Module) -> None:
    """Wrong: keeps the variance of the activations, not of the gradients."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def check_weights(fill) -> None:
    """A standard deviation from n normal numbers is exact to 1 / sqrt(2 n): 5 of those here."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(8, 64, 3), nn.BatchNorm2d(64), nn.Sequential(nn.Conv2d(64, 16, 5)))
    for parameter in network.parameters():
        nn.init.constant_(parameter, 7.0)
    fill(network)
    for convolution, fan_out in ((network[0], 64 * 9), (network[2][0], 16 * 25)):
        spread = convolution.weight.std().item() / (2 / fan_out) ** 0.5
        assert abs(spread - 1) < 5 / (2 * convolution.weight.numel()) ** 0.5
        assert (convolution.bias == 7).all()
    assert (network[1].weight == 1).all()
    assert (network[1].bias == 0).all()


def test_variance_is_two_over_fan_out():
    check_weights(kaiming_fan_out)


def test_fan_in_is_told_apart():
    with pytest.raises(AssertionError):
        check_weights(fan_in)


def test_gradients_keep_their_variance_from_layer_to_layer():
    """ReLU layers of more and more channels: fan-in would shrink the gradient with every one."""
    torch.manual_seed(0)
    widths = [16, 32, 64, 128]
    layers = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 1, bias=False), nn.ReLU()]
    network = nn.Sequential(*layers)
    kaiming_fan_out(network)
    images = torch.randn(8, 16, 16, 16, requires_grad=True)
    out = network(images)
    arriving = torch.randn_like(out)
    (gradient,) = torch.autograd.grad(out, images, arriving)
    assert 0.7 < gradient.var() / arriving.var() < 1.4
