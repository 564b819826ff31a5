import re

import pytest
import torch
from torch import Tensor, nn

from gradlab.equivariance import CyclicGroup, DihedralGroup, GroupBase, cyclic, grid_preserving, transformed
from gradlab.models import P4CNN


def images_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@torch.no_grad()
def check_invariant(model: nn.Module, group: GroupBase, x: Tensor) -> None:
    for element in grid_preserving(group.table, x.shape[-1]).tolist():
        turned = transformed(group.table, element, x, on_group=False)
        torch.testing.assert_close(model(turned), model(x), rtol=1e-12, atol=1e-12)


def small(group: GroupBase, side: int = 16) -> P4CNN:
    torch.manual_seed(0)
    model = P4CNN(group, side, 2, 5, 3, depths=(1, 2)).double()
    model(images_of(8, 2, side, side))
    return model.eval()


@pytest.mark.parametrize("group", [CyclicGroup(4), DihedralGroup(4), CyclicGroup(8)], ids=lambda g: g.table.name)
def test_logits_are_invariant(group):
    check_invariant(small(group), group, images_of(2, 2, 16, 16))


def test_the_network_over_one_element_is_told_apart():
    with pytest.raises(AssertionError, match="not close"):
        check_invariant(small(GroupBase(1, [0.0], cyclic(1))), CyclicGroup(4), images_of(2, 2, 16, 16))


def test_parameters_by_hand():
    """Six convolutions of 3x3, one of 4x4 with a bias, two numbers a channel a norm; about the paper's 25,000."""
    expected = 9 * 10 + 5 * 36 * 10 * 10 + 6 * 2 * 10 + 4 * 16 * 10 * 10 + 10
    assert parameters(P4CNN()) == expected == 24_620


def test_over_one_element_it_is_the_paper_s_plain_network():
    expected = 9 * 20 + 5 * 9 * 20 * 20 + 6 * 2 * 20 + 16 * 20 * 10 + 10
    assert parameters(P4CNN(GroupBase(1, [0.0], cyclic(1)), channels=20)) == expected == 21_630


@pytest.mark.parametrize(("side", "depths", "last"), [(28, (2, 4), 4), (32, (2, 4), 6), (8, (1, 0), 3)])
def test_the_last_convolution_sees_all_that_is_left(side, depths, last):
    model = P4CNN(image_size=side, depths=depths, channels=2)
    assert model.last.kernel.kernel_size == last
    assert model(torch.zeros(2, 1, side, side)).shape == (2, 10)


def test_it_knows_where_a_feature_lies():
    """Unlike a mean over the plane: a dot at the edge is not the same dot in the middle."""
    model = small(CyclicGroup(4))
    edge, middle = torch.zeros(2, 1, 2, 16, 16, dtype=torch.float64)
    edge[..., 2, 8], middle[..., 8, 8] = 5, 5
    assert (model(edge) - model(middle)).norm() > 0.05 * model(middle).norm()


def test_whole_channels_are_dropped_so_that_training_is_equivariant_too():
    model = P4CNN(image_size=8, depths=(1, 0), channels=40, dropout=0.5).double()
    dropped = model.layers[3](torch.ones(1, 40, 4, 6, 6, dtype=torch.float64))
    assert {0.0, 2.0} == set(dropped.unique().tolist())
    assert torch.equal(dropped.amax((2, 3, 4)), dropped.amin((2, 3, 4)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"image_size": 29}, "maps of 25x25 that images of 29 have before the pooling, which breaks equivariance: take "
                             "images of 28 or 30"),
        ({"image_size": 18}, "images of 18 leave nothing for the last convolution: take 22 or more"),
        ({"depths": (0, 2)}, "at least one convolution before the pooling, and any number after: got [0, 2]"),
    ],
)  # fmt: skip
def test_networks_that_cannot_be_are_refused(settings, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        P4CNN(**settings)


def test_the_size_that_is_told_is_the_smallest_possible():
    assert P4CNN(image_size=22, channels=2)(torch.zeros(1, 1, 22, 22)).shape == (1, 10)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="P4CNN takes images of 28x28: got 32x32"):
        P4CNN()(torch.zeros(1, 1, 32, 32))
