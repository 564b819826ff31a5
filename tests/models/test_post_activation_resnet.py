import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.models import PostActivationResNet, ResNetBlock


def images_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def block_of(*arguments, kind: type[ResNetBlock] = ResNetBlock) -> ResNetBlock:
    torch.manual_seed(0)
    block = kind(*arguments).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # so that no batch norm is left at its identity
    return block


def written_out(block: ResNetBlock, x: Tensor, stride: int) -> Tensor:
    """The paper's figure 2, from the batch's own statistics."""

    def normed(weight: Tensor, bias: Tensor, maps: Tensor) -> Tensor:
        centred = maps - maps.mean((0, 2, 3), keepdim=True)
        scaled = centred / (centred.pow(2).mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
        return scaled * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)

    first, norm1, bias1, second, norm2, bias2 = block.residual.parameters()
    maps = normed(norm1, bias1, F.conv2d(x, first, stride=stride, padding=1)).clamp(min=0)
    maps = normed(norm2, bias2, F.conv2d(maps, second, padding=1))
    shortcut = x if stride == 1 else F.conv2d(x, *block.shortcut.parameters(), stride=stride)
    return (shortcut + maps).clamp(min=0)


class NotActivated(ResNetBlock):
    """Wrong: the sum as it is, as in pre-activation blocks."""

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.residual(x)


class ActivatedBeforeTheSum(ResNetBlock):
    """Wrong: the ReLU on F alone."""

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.activation(self.residual(x))


def check_equals_the_figure(block: ResNetBlock, stride: int = 1) -> None:
    x = images_of(4, 3, 6, 7)
    torch.testing.assert_close(block(x), written_out(block, x, stride), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("arguments", "stride"), [((3,), 1), ((3, True, 5), 2), ((3, True, 3), 2), ((3, False, 9), 1)])
def test_the_block_equals_the_figure(arguments, stride):
    check_equals_the_figure(block_of(*arguments), stride)


@pytest.mark.parametrize("wrong", [NotActivated, ActivatedBeforeTheSum])
def test_other_blocks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_figure(block_of(3, kind=wrong))


def test_parameters():
    """The count of the course's notebook, and a small one by hand: no bias but the shortcut's and the last layer's."""
    assert sum(parameter.numel() for parameter in PostActivationResNet().parameters()) == 272_378
    stem, same = 9 * 2 * 4 + 2 * 4, 2 * (9 * 4 * 4 + 2 * 4)
    down = (9 * 4 * 6 + 2 * 6) + (9 * 6 * 6 + 2 * 6) + (4 * 6 + 6)
    small = PostActivationResNet(5, (2, 1), (4, 6), in_channels=2)
    assert sum(parameter.numel() for parameter in small.parameters()) == stem + 2 * same + down + 6 * 5 + 5


def test_groups_look_at_32_16_and_8_pixels():
    model, sides = PostActivationResNet(10, (2, 2, 2), (4, 6, 8)), []
    for block in model.blocks:
        block.register_forward_hook(lambda _module, _inputs, output: sides.append(tuple(output.shape[1:])))
    model(torch.zeros(1, 3, 32, 32))
    assert sides == [(4, 32, 32)] * 2 + [(6, 16, 16)] * 2 + [(8, 8, 8)] * 2


def test_the_stem_is_normed_and_activated_and_the_mean_is_over_all_places():
    model = PostActivationResNet(5, (1, 1), (4, 6)).double().eval()
    with torch.no_grad():
        for buffer in model.buffers():
            buffer.copy_(torch.rand_like(buffer.double()) + 0.5)
    x = images_of(3, 3, 8, 8)
    convolution, norm = model.stem[0], model.stem[1]
    assert isinstance(norm, nn.BatchNorm2d)
    maps = F.batch_norm(F.conv2d(x, convolution.weight, padding=1), norm.running_mean, norm.running_var).clamp(min=0)
    expected = model.blocks(maps).mean((2, 3)) @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 28, 28), (3, 4, 4), (2, 9, 33)])
def test_images_of_other_sizes(channels, height, width):
    model = PostActivationResNet(7, (1, 1, 1), (4, 4, 4), in_channels=channels)
    assert model(torch.zeros(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 3, 8, 3), "PostActivationResNet needs images of at least 4x4: got 8x3"),
        ((2, 1, 8, 8), "PostActivationResNet takes images of 3 channels: got 1"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        PostActivationResNet()(torch.zeros(shape))


def test_groups_without_blocks_or_channels_are_refused():
    told = re.escape("every group needs blocks and channels: got [3, 3] and [16]")
    with pytest.raises(ValueError, match=told):
        PostActivationResNet(10, (3, 3), (16,))


def test_a_subsampling_block_needs_its_channels():
    with pytest.raises(ValueError, match="a block that subsamples needs at least one output channel: got c_out 0"):
        ResNetBlock(16, subsample=True, c_out=0)
