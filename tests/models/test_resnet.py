import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.models import PreActResNetBlock, ResNet


def images_of(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def block_of(*arguments, kind: type[PreActResNetBlock] = PreActResNetBlock) -> PreActResNetBlock:
    torch.manual_seed(0)
    block = kind(*arguments).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # so that no batch norm is left at its identity
    return block


def written_out(block: PreActResNetBlock, x: Tensor, stride: int) -> Tensor:
    """The right half of the paper's figure 1, from the batch's own statistics."""

    def activated(weight: Tensor, bias: Tensor, maps: Tensor) -> Tensor:
        centred = maps - maps.mean((0, 2, 3), keepdim=True)
        scaled = centred / (centred.pow(2).mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
        return (scaled * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)).clamp(min=0)

    norm1, bias1, first, norm2, bias2, second = block.residual.parameters()
    maps = F.conv2d(activated(norm1, bias1, x), first, stride=stride, padding=1)
    maps = F.conv2d(activated(norm2, bias2, maps), second, padding=1)
    if stride == 1:
        return x + maps
    norm, bias, shortcut = block.shortcut.parameters()
    return F.conv2d(activated(norm, bias, x), shortcut, stride=stride) + maps


class Activated(PreActResNetBlock):
    """Wrong: the ReLU after the sum, as in the first residual networks."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


class WithoutShortcut(PreActResNetBlock):
    """Wrong: F alone."""

    def forward(self, x: Tensor) -> Tensor:
        return self.residual(x)


def check_the_gradient_holds_the_identity(block: PreActResNetBlock) -> None:
    """The handbook's formula: d x_{l+1} / d x_l = I + d F / d x_l."""
    x, block = images_of(1, 3, 4, 5), block.eval()
    whole = torch.autograd.functional.jacobian(block, x).view(60, 60)
    of_residual = torch.autograd.functional.jacobian(block.residual, x).view(60, 60)
    torch.testing.assert_close(whole, torch.eye(60, dtype=torch.float64) + of_residual, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("arguments", "stride"), [((3,), 1), ((3, True, 5), 2), ((3, True, 3), 2), ((3, False, 9), 1)])
def test_the_block_equals_the_figure(arguments, stride):
    block, x = block_of(*arguments), images_of(4, 3, 6, 7)
    torch.testing.assert_close(block(x), written_out(block, x, stride), rtol=0, atol=1e-12)


def test_the_gradient_holds_the_identity():
    check_the_gradient_holds_the_identity(block_of(3))


@pytest.mark.parametrize("wrong", [Activated, WithoutShortcut])
def test_a_gradient_without_the_identity_is_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_the_gradient_holds_the_identity(block_of(3, kind=wrong))


def test_a_deep_stack_keeps_the_gradient():
    """With F at zero, the input's gradient is the output's, whatever the depth."""
    blocks = nn.Sequential(*(block_of(3) for _ in range(20)))
    for block in blocks:
        nn.init.zeros_(block.residual[-1].weight)
    x = images_of(2, 3, 4, 4).requires_grad_()
    arriving = images_of(2, 3, 4, 4, seed=1)
    (gradient,) = torch.autograd.grad(blocks(x), x, arriving)
    assert torch.equal(gradient, arriving)


@pytest.mark.parametrize(("side", "half"), [(8, 4), (7, 4), (2, 1), (1, 1)])
def test_subsampling_halves_the_sides_rounding_up(side, half):
    assert block_of(3, True, 5)(images_of(2, 3, side, side)).shape == (2, 5, half, half)


def test_parameters_of_the_handbook_s_networks():
    assert parameters(ResNet()) == 99_018
    assert parameters(ResNet(10, [2, 2, 3], [16, 24, 32])) == 83_882
    assert parameters(ResNet(10, [3, 3, 3], [16, 32, 64])) == 272_250


def test_parameters_by_hand():
    """Batch norms of 2 numbers a channel, 9 weights a pair of channels, no bias but the last layer's."""
    first = (2 * 4 + 9 * 4 * 4 + 2 * 4 + 9 * 4 * 4) * 2
    second = (2 * 4 + 9 * 4 * 6 + 2 * 6 + 9 * 6 * 6) + (2 * 4 + 4 * 6)
    assert parameters(ResNet(5, (2, 1), (4, 6), in_channels=2)) == 9 * 2 * 4 + first + second + 6 * 5 + 5


def test_groups_look_at_32_16_and_8_pixels():
    model, sides = ResNet(10, (2, 2, 2), (4, 6, 8)), []
    for block in model.blocks:
        block.register_forward_hook(lambda _module, _inputs, output: sides.append(tuple(output.shape[1:])))
    model(torch.zeros(1, 3, 32, 32))
    assert sides == [(4, 32, 32)] * 2 + [(6, 16, 16)] * 2 + [(8, 8, 8)] * 2


def test_neither_norm_nor_activation_before_the_mean():
    model = ResNet(5, (1, 1), (4, 6)).double()
    x = images_of(3, 3, 8, 8)
    maps = model.blocks(model.stem(x))
    expected = maps.mean((2, 3)) @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-12)
    assert maps.min() < 0


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 28, 28), (3, 4, 4), (2, 9, 33)])
def test_images_of_other_sizes(channels, height, width):
    model = ResNet(7, (1, 1, 1), (4, 4, 4), in_channels=channels)
    assert model(torch.zeros(2, channels, height, width)).shape == (2, 7)


def test_kaiming_weights_by_fan_out():
    torch.manual_seed(0)
    convolution = ResNet(10, (1, 1), (64, 128)).blocks[1].residual[2]
    assert convolution.weight.shape == (128, 64, 3, 3)
    assert convolution.weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 3, 3, 8), "ResNet needs images of at least 4x4: got 3x8"),
        ((2, 1, 8, 8), "ResNet takes images of 3 channels: got 1"),
        ((3, 8, 8), "ResNet takes images [batch, channels, height, width]: got 3x8x8"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        ResNet()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("blocks", "channels"), [((3, 3), (16, 24, 32)), ((), ()), ((1, 0), (4, 4)), ((1, 1), (4, -1))]
)
def test_groups_without_blocks_or_channels_are_refused(blocks, channels):
    told = re.escape(f"every group needs blocks and channels: got {list(blocks)} and {list(channels)}")
    with pytest.raises(ValueError, match=told):
        ResNet(10, blocks, channels)


def test_a_subsampling_block_needs_its_channels():
    with pytest.raises(ValueError, match="a block that subsamples needs at least one output channel: got c_out -1"):
        PreActResNetBlock(16, subsample=True)
