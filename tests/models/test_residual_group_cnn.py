import re

import pytest
import torch
from torch import Tensor, nn

from gradlab.equivariance import CyclicGroup, DihedralGroup, grid_preserving, transformed
from gradlab.models import ResidualGroupBlock, ResidualGroupCNN

GROUPS = [CyclicGroup(4), DihedralGroup(4), CyclicGroup(8)]
every_group = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.table.name)


def images_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def network(group, **settings) -> ResidualGroupCNN:
    """In float64, its batch norms away from their identities."""
    torch.manual_seed(0)
    model = ResidualGroupCNN(group, 5, (1, 2), (3, 4), 2, **settings).double()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model(images_of(8, 2, 12, 12))
    return model.eval()


def of_whole_numbers(module: nn.Module) -> nn.Module:
    """Its weights drawn from -2 to 2, so that sums have no rounding whatever their order."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 2:
                parameter.copy_(torch.randint(-2, 3, parameter.shape, generator=generator))
    return module.double().eval()


@torch.no_grad()
def check_invariant(model: nn.Module, group, x: Tensor) -> None:
    for element in grid_preserving(group.table, x.shape[-1]).tolist():
        turned = transformed(group.table, element, x, on_group=False)
        torch.testing.assert_close(model(turned), model(x), rtol=1e-12, atol=1e-13)


@every_group
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_logits_are_invariant(group, kernel_size):
    check_invariant(network(group, kernel_size=kernel_size), group, images_of(2, 2, 12, 12))


def test_strides_instead_of_means_are_told_apart():
    group = CyclicGroup(4)
    model = network(group)
    model.blocks[1] = nn.MaxPool3d((1, 1, 1), (1, 2, 2))
    with pytest.raises(AssertionError, match="not close"):
        check_invariant(model, group, images_of(2, 2, 12, 12))


@pytest.mark.parametrize("group", GROUPS[:2], ids=lambda group: group.table.name)
def test_blocks_move_with_whole_numbers_bit_for_bit(group):
    block = of_whole_numbers(ResidualGroupBlock(group, 2, 3))
    for norm in (block.residual[0], block.residual[3]):
        norm.eps = 0.0  # so that a norm which has seen nothing is the identity, without rounding
    x = images_of(1, 2, group.table.order, 7, 7).mul(3).round()
    for element in range(group.table.order):
        moved = transformed(group.table, element, x, on_group=True)
        assert torch.equal(block(moved), transformed(group.table, element, block(x), on_group=True))


def test_a_block_with_a_silent_residual_is_its_shortcut():
    block = ResidualGroupBlock(CyclicGroup(4), 3, 3).double()
    nn.init.zeros_(block.residual[-1].kernel.weight)
    x = images_of(2, 3, 4, 5, 6)
    assert torch.equal(block(x), x)


def test_the_numbers_before_the_second_convolution_are_dropped_in_training_only():
    block, x = ResidualGroupBlock(CyclicGroup(4), 2, 2, dropout=0.5).double(), images_of(1, 2, 4, 5, 5)
    assert not torch.equal(block(x), block(x))
    block.eval()
    assert torch.equal(block(x), block(x))


def test_parameters_by_hand():
    """9 taps for each element of C4, 2 numbers a norm, no bias but the last layer's."""
    first = 2 * 8 + 36 * 8 * 8 + 2 * 8 + 36 * 8 * 8
    second = 2 * 8 + 36 * 8 * 16 + 4 * 8 * 16 + 2 * 16 + 36 * 16 * 16
    third = 2 * 16 + 36 * 16 * 24 + 4 * 16 * 24 + 2 * 24 + 36 * 24 * 24
    expected = 9 * 8 + first + second + third + 2 * 24 + 24 * 10 + 10
    assert expected == 55_570 == sum(parameter.numel() for parameter in ResidualGroupCNN().parameters())


@pytest.mark.parametrize("side", [28, 32])
def test_it_halves_the_sides_of_the_usual_images_twice(side):
    sides = []
    model = ResidualGroupCNN(CyclicGroup(4), channels=(2, 2, 2))
    for part in model.blocks:
        part.register_forward_hook(lambda _module, _inputs, output: sides.append(output.shape[-1]))
    assert model(torch.zeros(2, 1, side, side)).shape == (2, 10)
    assert sides == [side, side // 2, side // 2, side // 4, side // 4]


def test_the_largest_value_over_the_group_is_read():
    model, x = network(CyclicGroup(4)), images_of(2, 2, 8, 8)
    maps = model.norm(model.blocks(model.lifting(x))).clamp(min=0)
    torch.testing.assert_close(model(x), model.head(maps.amax(2).mean((2, 3))), rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 1, 30, 28), "halves the sides 2 times, which breaks equivariance at a height of 30: take 28 or 32"),
        ((2, 1, 28, 27), "at a width of 27: take 24 or 28"),
        ((2, 1, 2, 28), "needs images of at least 4x4: got 2x28"),
        ((2, 3, 28, 28), "takes images of 1 channels: got 3"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        ResidualGroupCNN()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"num_blocks": (1, 1)}, "every stage needs blocks and channels: got [1, 1] and [8, 16, 24]"),
        ({"num_blocks": (1, 0, 1)}, "every stage needs blocks and channels"),
        ({"kernel_size": 4}, "a kernel must have an odd side to keep the sides of the maps: got 4"),
    ],
)
def test_networks_that_cannot_be_are_refused(settings, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        ResidualGroupCNN(**settings)
