import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.models import DenseLayer, DenseNet
from gradlab.models.dense_net import Transition


def images_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def shaken(module: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # so that no batch norm is left at its identity
    return module


def activated(maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    centred = maps - maps.mean((0, 2, 3), keepdim=True)
    scaled = centred / (centred.pow(2).mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return (scaled * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)).clamp(min=0)


class Added(DenseLayer):
    """Wrong: keeps the channels' number by adding, as residual networks do."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.new(x), x[:, 3:] + self.new(x)], dim=1)


class InputFirst(DenseLayer):
    """Wrong: new channels behind the old ones."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.new(x)], dim=1)


def check_layer(kind: type[DenseLayer]) -> None:
    """New channels first, the input untouched behind them."""
    layer, x = shaken(kind(6, 2, 3)), images_of(4, 6, 5, 7)
    norm1, bias1, first, norm2, bias2, second = layer.parameters()
    new = F.conv2d(activated(F.conv2d(activated(x, norm1, bias1), first), norm2, bias2), second, padding=1)
    out = layer(x)
    assert out.shape == (4, 3 + 6, 5, 7)
    torch.testing.assert_close(out[:, :3], new, rtol=0, atol=1e-12)
    assert torch.equal(out[:, 3:], x)


def test_a_layer_adds_channels_and_keeps_its_input():
    check_layer(DenseLayer)


@pytest.mark.parametrize("wrong", [Added, InputFirst])
def test_other_layers_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_layer(wrong)


def test_a_transition_equals_the_paper_s_section():
    transition, x = shaken(Transition(6, 4)), images_of(3, 6, 4, 6)
    weight, bias, convolution = transition.parameters()
    maps = F.conv2d(activated(x, weight, bias), convolution)
    expected = maps.view(3, 4, 2, 2, 3, 2).mean((3, 5))
    torch.testing.assert_close(transition(x), expected, rtol=0, atol=1e-12)


def test_channels_grow_by_the_growth_rate_and_halve_between_blocks():
    model, shapes = DenseNet(10, (2, 3, 1), bn_size=2, growth_rate=4), []
    for block in model.blocks:
        block.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    model(torch.zeros(1, 3, 16, 16))
    assert shapes == [
        (12, 16, 16), (16, 16, 16),
        (8, 8, 8), (12, 8, 8), (16, 8, 8), (20, 8, 8),
        (10, 4, 4), (14, 4, 4),
    ]  # fmt: skip


def test_the_first_maps_reach_the_last_layer_of_their_block_unchanged():
    model, seen = DenseNet(10, (4,), growth_rate=4), {}
    model.stem.register_forward_hook(lambda _module, _inputs, output: seen.update(stem=output))
    last = model.blocks[-1]
    last.register_forward_hook(lambda _module, inputs, _output: seen.update(last=inputs[0]))
    model(torch.randn(1, 3, 8, 8))
    assert torch.equal(seen["last"][:, -8:], seen["stem"])


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_parameters():
    """The count of the course's notebook, and a small one by hand: a bias in the first and the last layer only."""
    assert parameters(DenseNet()) == 239_146

    def layer(channels: int) -> int:
        return 2 * channels + channels * 8 + 2 * 8 + 9 * 8 * 4

    transition = 2 * 16 + 16 * 8
    head = 2 * 12 + 12 * 5 + 5
    small = DenseNet(5, (2, 1), bn_size=2, growth_rate=4, in_channels=2)
    assert parameters(small) == (9 * 2 * 8 + 8) + layer(8) + layer(12) + transition + layer(8) + head


def test_norm_activation_and_mean_before_the_last_layer():
    model, x = DenseNet(5, (2, 1), growth_rate=4).double(), images_of(3, 3, 8, 8)
    with torch.no_grad():
        model.pool[0].weight.uniform_(0.5, 1.5)
        model.pool[0].bias.normal_()
    maps = activated(model.blocks(model.stem(x)), model.pool[0].weight, model.pool[0].bias)
    expected = maps.mean((2, 3)) @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 28, 28), (3, 8, 8), (2, 9, 33)])
def test_images_of_other_sizes(channels, height, width):
    model = DenseNet(7, (1, 1, 1, 1), growth_rate=4, in_channels=channels)
    assert model(torch.zeros(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 3, 7, 8), "DenseNet needs images of at least 8x8: got 7x8"),
        ((2, 1, 8, 8), "DenseNet takes images of 3 channels: got 1"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        DenseNet()(torch.zeros(shape))


@pytest.mark.parametrize("changes", [{"num_layers": ()}, {"num_layers": (2, 0)}, {"bn_size": 0}, {"growth_rate": 0}])
def test_blocks_without_layers_or_growth_are_refused(changes):
    with pytest.raises(ValueError, match="every block needs layers and growth: got"):
        DenseNet(**changes)
