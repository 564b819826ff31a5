import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.models import GoogleNet, InceptionBlock


def images_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def block_of(kind: type[InceptionBlock] = InceptionBlock) -> InceptionBlock:
    torch.manual_seed(0)
    block = kind(3, (4, 2), (5, 6, 7, 8)).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # so that no batch norm is left at its identity
    return block


def written_out(block: InceptionBlock, x: Tensor) -> Tensor:
    """The paper's figure 2b, each convolution with the batch's own statistics and ReLU behind it."""

    def convolved(maps: Tensor, part: nn.Module) -> Tensor:
        weight, bias, scale, shift = part.parameters()
        maps = F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)
        centred = maps - maps.mean((0, 2, 3), keepdim=True)
        scaled = centred / (centred.pow(2).mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
        return (scaled * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)).clamp(min=0)

    edged = F.pad(x, (1, 1, 1, 1), value=-torch.inf)
    pooled = edged.unfold(2, 3, 1).unfold(3, 3, 1).amax((4, 5))
    branches = [
        convolved(x, block.one),
        convolved(convolved(x, block.three[0]), block.three[1]),
        convolved(convolved(x, block.five[0]), block.five[1]),
        convolved(pooled, block.pool[1]),
    ]
    return torch.cat(branches, dim=1)


class OtherOrder(InceptionBlock):
    """Wrong: joins the branches in another order."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.pool(x), self.one(x), self.three(x), self.five(x)], dim=1)


class WithoutPooling(InceptionBlock):
    """Wrong: the fourth branch is a second 1x1 convolution."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool[1](x)], dim=1)


def check_equals_the_figure(block: InceptionBlock) -> None:
    x = images_of(4, 3, 6, 7)
    torch.testing.assert_close(block(x), written_out(block, x), rtol=0, atol=1e-12)


def test_the_block_equals_the_figure():
    check_equals_the_figure(block_of())
    assert block_of()(images_of(2, 3, 5, 5)).shape == (2, 5 + 6 + 7 + 8, 5, 5)


@pytest.mark.parametrize("wrong", [OtherOrder, WithoutPooling])
def test_other_blocks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_figure(block_of(wrong))


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_parameters():
    """The count of the course's notebook; the block by hand, where batch norm adds 2 to each filter's bias."""
    assert parameters(GoogleNet()) == 260_650
    assert parameters(InceptionBlock(3, (4, 2), (5, 6, 7, 8))) == (
        5 * (3 + 3) + 4 * (3 + 3) + 6 * (4 * 9 + 3) + 2 * (3 + 3) + 7 * (2 * 25 + 3) + 8 * (3 + 3)
    )


def test_ten_stages_look_at_32_16_and_8_pixels():
    model, shapes = GoogleNet(), []
    for block in model.blocks:
        block.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    model.eval()(torch.zeros(1, 3, 32, 32))
    assert shapes == [
        (64, 32, 32), (96, 32, 32), (96, 16, 16), (96, 16, 16), (96, 16, 16), (96, 16, 16), (128, 16, 16),
        (128, 8, 8), (128, 8, 8), (128, 8, 8),
    ]  # fmt: skip


def test_the_mean_is_over_all_places():
    model, x = GoogleNet(5).double().eval(), images_of(2, 3, 8, 12)
    maps = model.blocks(model.stem(x))
    torch.testing.assert_close(model(x), maps.mean((2, 3)) @ model.head.weight.T + model.head.bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 28, 28), (3, 4, 4), (2, 9, 33)])
def test_images_of_other_sizes(channels, height, width):
    assert GoogleNet(7, channels)(torch.zeros(2, channels, height, width)).shape == (2, 7)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 3, 3, 3), "GoogleNet needs images of at least 4x4: got 3x3"),
        ((2, 1, 8, 8), "GoogleNet takes images of 3 channels: got 1"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        GoogleNet()(torch.zeros(shape))
