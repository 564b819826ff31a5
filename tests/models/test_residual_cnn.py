import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.models import ResidualBlock, ResidualCNN


def images_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def block_of(*arguments, kind: type[ResidualBlock] = ResidualBlock) -> ResidualBlock:
    torch.manual_seed(0)
    block = kind(*arguments).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # so that no batch norm is left at its identity
    return block


def written_out(block: ResidualBlock, x: Tensor) -> Tensor:
    """The cheat-sheet's forward pass, line by line, from the batch's own statistics."""
    out = F.conv2d(x, block.conv.weight, block.conv.bias, padding=(block.conv.kernel_size[0] - 1) // 2)
    centred = out - out.mean((0, 2, 3), keepdim=True)
    out = centred / (centred.pow(2).mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    out = out * block.bn.weight.view(1, -1, 1, 1) + block.bn.bias.view(1, -1, 1, 1)
    identity = x
    if identity.shape[1] != out.shape[1]:
        weight, bias = block.conv_identity.parameters()
        identity = F.conv2d(identity, weight, bias)
    out = (out + identity).clamp(min=0)
    height, width = out.shape[2] // 2, out.shape[3] // 2
    pairs = out[..., : 2 * height, : 2 * width].reshape(len(x), -1, height, 2, width, 2)
    return pairs.amax((3, 5))


class ActivatedBeforeTheSum(ResidualBlock):
    """Wrong: the shortcut joins behind the ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.activation(self.bn(self.conv(x))) + self.conv_identity(x))


class WithoutShortcut(ResidualBlock):
    """Wrong: a plain convolutional layer."""

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.activation(self.bn(self.conv(x))))


def check_equals_the_sheet(block: ResidualBlock) -> None:
    x = images_of(4, 3, 6, 7)
    torch.testing.assert_close(block(x), written_out(block, x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("arguments", [(3, 3), (3, 5), (3, 3, 5), (3, 2, 1), (3, 4, 7)])
def test_the_block_equals_the_sheet(arguments):
    check_equals_the_sheet(block_of(*arguments))


@pytest.mark.parametrize("wrong", [ActivatedBeforeTheSum, WithoutShortcut])
def test_other_blocks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_sheet(block_of(3, 3, kind=wrong))


def test_a_convolution_on_the_shortcut_only_where_the_channels_change():
    assert isinstance(ResidualBlock(4, 4).conv_identity, nn.Identity)
    assert isinstance(ResidualBlock(4, 5).conv_identity, nn.Conv2d)


def test_the_network_is_its_blocks_and_one_linear_layer():
    model, x = ResidualCNN(9, 2, 5, (4, 4, 6)).double(), images_of(3, 2, 9, 9)
    maps = x
    for block in model.blocks:
        maps = block(maps)
    assert maps.shape == (3, 6, 1, 1)
    torch.testing.assert_close(model(x), maps.flatten(1) @ model.fc.weight.T + model.fc.bias, rtol=0, atol=1e-13)


def test_parameters_by_hand():
    """A block: 9 weights a pair of channels, a bias and 2 of the norm a channel, and the shortcut where they change."""
    first = 9 * 3 * 32 + 3 * 32 + (3 * 32 + 32)
    second = 9 * 32 * 64 + 3 * 64 + (32 * 64 + 64)
    count = sum(parameter.numel() for parameter in ResidualCNN().parameters())
    assert count == first + second + 64 * 8 * 8 * 10 + 10 == 62_794


@pytest.mark.parametrize("side", [8, 9, 28, 33])
def test_images_of_other_sizes(side):
    assert ResidualCNN(side, 1, 7, (4, 6))(torch.zeros(2, 1, side, side)).shape == (2, 7)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 3, 16, 8), "ResidualCNN takes images of 8x8: got 16x8"),
        ((2, 1, 8, 8), "ResidualCNN takes images of 3 channels: got 1"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        ResidualCNN(8)(torch.zeros(shape))


def test_images_too_small_for_the_blocks_are_refused():
    assert ResidualCNN(8, channels=(2, 2, 2))(torch.zeros(1, 3, 8, 8)).shape == (1, 10)
    with pytest.raises(ValueError, match="ResidualCNN needs images of at least 8x8: got 7"):
        ResidualCNN(7, channels=(2, 2, 2))


@pytest.mark.parametrize("kernel", [2, 4, 0, -1])
def test_even_kernels_are_refused(kernel):
    with pytest.raises(
        ValueError, match=f"a kernel must have an odd side to keep the sides of the images: got {kernel}"
    ):
        ResidualCNN(kernel_size=kernel)
