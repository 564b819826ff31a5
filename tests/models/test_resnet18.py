"""ResNet-18 for small images: written out with functions, and counted."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.models import Baseline, BasicBlock, ResNet18


def normed(x: Tensor, norm: nn.Module) -> Tensor:
    centred = x - x.mean((0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return scaled * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)


def block_written_out(block: BasicBlock, x: Tensor, stride: int) -> Tensor:
    first, norm1, _, second, norm2 = block.residual
    out = normed(F.conv2d(x, first.weight, stride=stride, padding=1), norm1).clamp(min=0)
    out = normed(F.conv2d(out, second.weight, padding=1), norm2)
    if isinstance(block.shortcut, nn.Sequential):
        x = normed(F.conv2d(x, block.shortcut[0].weight, stride=stride), block.shortcut[1])
    return (out + x).clamp(min=0)


def written_out(network: ResNet18, images: Tensor) -> Tensor:
    x = normed(F.conv2d(images, network.stem[0].weight, padding=1), network.stem[1]).clamp(min=0)
    for place, block in enumerate(network.blocks):
        x = block_written_out(block, x, stride=2 if place in (2, 4, 6) else 1)
    return x.mean((2, 3))


class ImageNetStem(ResNet18):
    """Wrong for small images: the first convolution halves the sides."""

    def __init__(self, in_channels: int = 3, width: int = 64) -> None:
        super().__init__(in_channels, width)
        self.stem[0].stride = (2, 2)


class HalvesFromTheStart(ResNet18):
    """Wrong: the first pair of blocks halves the sides, too."""

    def __init__(self, in_channels: int = 3, width: int = 64) -> None:
        super().__init__(in_channels, width)
        self.blocks[0] = BasicBlock(width, width, stride=2)


def check_is_the_paper(kind) -> None:
    torch.manual_seed(0)
    network = kind(2, 4).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    images = torch.randn(3, 2, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(network(images), written_out(network, images), rtol=0, atol=1e-10)


def test_is_the_paper_written_out():
    check_is_the_paper(ResNet18)


@pytest.mark.parametrize("wrong", [ImageNetStem, HalvesFromTheStart])
def test_other_networks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_is_the_paper(wrong)


def test_parameters_are_those_of_the_known_network():
    """torchvision's resnet18 has 11,689,512, of them 513,000 in its last layer and 9,408 in its first convolution."""
    assert sum(p.numel() for p in ResNet18().parameters()) == 11_689_512 - 513_000 - 9_408 + 3 * 3 * 3 * 64


def test_with_ten_classes_only_the_first_convolution_differs_from_the_known_network():
    """torchvision's resnet18 for ten classes has 11,181,642; its first convolution is 7x7, ours 3x3."""
    network = Baseline(ResNet18(), feature_dim=512, num_classes=10)
    assert sum(p.numel() for p in network.parameters()) == 11_181_642 - 7 * 7 * 3 * 64 + 3 * 3 * 3 * 64


def test_features_have_eight_times_the_width():
    network = ResNet18(1, width=4)
    assert network(torch.zeros(2, 1, 9, 8)).shape == (2, network.output_dim) == (2, 32)
