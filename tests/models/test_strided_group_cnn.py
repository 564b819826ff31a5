import re

import pytest
import torch
from torch import Tensor, nn

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    ExpandedKernel,
    GroupBase,
    cyclic,
    grid_preserving,
    transformed,
)
from gradlab.evaluation import rotate
from gradlab.models import StridedGroupCNN


def images_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@torch.no_grad()
def check_invariant(model: nn.Module, group: GroupBase, x: Tensor) -> None:
    for element in grid_preserving(group.table, x.shape[-1]).tolist():
        turned = transformed(group.table, element, x, on_group=False)
        torch.testing.assert_close(model(turned), model(x), rtol=1e-12, atol=1e-12)


def small(group: GroupBase, side: int = 12, *, separable: bool = False) -> StridedGroupCNN:
    torch.manual_seed(0)
    model = StridedGroupCNN(group, side, 2, 5, (3, 4, 3), (2, 1, 2), separable=separable).double()
    model(images_of(8, 2, side, side))
    return model.eval()


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("side", [12, 16])
@pytest.mark.parametrize("group", [CyclicGroup(4), DihedralGroup(4), CyclicGroup(8)], ids=lambda g: g.table.name)
def test_logits_are_invariant(group, side, separable):
    check_invariant(small(group, side, separable=separable), group, images_of(2, 2, side, side))


def test_the_network_over_one_element_is_told_apart():
    with pytest.raises(AssertionError, match="not close"):
        check_invariant(small(GroupBase(1, [0.0], cyclic(1))), CyclicGroup(4), images_of(2, 2, 12, 12))


def test_a_step_that_starts_at_the_corner_is_told_apart():
    """Kernels of an odd side would stop short of the far edge, were it not refused."""
    group, model = CyclicGroup(4), small(CyclicGroup(4))
    model.layers.insert(4, nn.MaxPool3d((1, 1, 1), (1, 2, 2)))
    model.layers.insert(5, nn.Upsample(scale_factor=(1, 2, 2)))
    with pytest.raises(AssertionError, match="not close"):
        check_invariant(model, group, images_of(2, 2, 12, 12))


@torch.no_grad()
def test_a_finer_group_moves_less_between_the_quarter_turns():
    """Of a smooth picture turned by 45 degrees, which C8 knows and C4 does not."""
    axis = torch.linspace(-1, 1, 28)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    blobs = torch.exp(-((x - 0.3).square() + (2 * y + 0.2).square()) / 0.15)
    picture = (255 * blobs).round().to(torch.uint8)[None, None]
    pictures = torch.cat([picture.double() / 255, rotate(picture, 45).double()])
    moved = {}
    for order in (4, 8):
        torch.manual_seed(0)
        logits = StridedGroupCNN(CyclicGroup(order), channels=(8, 8), strides=(2, 2)).double().eval()(pictures)
        moved[order] = (logits[1] - logits[0]).norm() / logits[0].norm()
    assert moved[8] < 0.5 * moved[4]


def test_parameters_by_hand():
    """Over C8, kernels of 5 taps have 10 numbers, of 6 taps and 7 taps more: about as many weights as P4CNN."""
    model = StridedGroupCNN()
    sizes = [module.family.dimensions for module in model.modules() if isinstance(module, ExpandedKernel)]
    first, second, third, fourth, last = sizes
    assert second == fourth == 10
    products = [6 * first, 8 * 36 * second, 8 * 48 * third, 8 * 64 * fourth, 8 * 80 * last]
    expected = sum(products) + 2 * (6 + 6 + 8 + 8) + 10
    assert sum(parameter.numel() for parameter in model.parameters()) == expected == 23_626


def test_parameters_of_a_separable_one_by_hand():
    """Over channels and group one tap, so 8 numbers for two channels; over the plane 10 or 12 for one channel."""
    model = StridedGroupCNN(channels=(4, 6, 8), strides=(2, 1, 2), separable=True)
    first, second, third, last = (
        module.family.dimensions for module in model.modules() if isinstance(module, ExpandedKernel)
        if module.kernel_size > 1
    )  # fmt: skip
    assert (second, third) == (10, 12)
    products = [4 * first, 8 * 24 + 6 * second, 8 * 48 + 8 * third, 8 * 80 * last]
    assert sum(parameter.numel() for parameter in model.parameters()) == sum(products) + 2 * (4 + 6 + 8) + 10


@pytest.mark.parametrize(("side", "strides", "last"), [(28, (2, 2), 7), (32, (2, 2), 8), (8, (1, 2), 4)])
def test_the_last_convolution_sees_all_that_is_left(side, strides, last):
    model = StridedGroupCNN(image_size=side, channels=(2, 2), strides=strides)
    assert model.last.kernel.kernel_size == last
    assert model(torch.zeros(2, 1, side, side)).shape == (2, 10)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"image_size": 30}, "strides that divide the sides by 4 break equivariance at images of 30: take 28 or 32"),
        ({"image_size": 2}, "break equivariance at images of 2: take 4 or 8"),
        ({"strides": (2, 1)}, "a stride of 1 or 2: got [6, 6, 8, 8] and [2, 1]"),
        ({"strides": (2, 1, 4, 1)}, "a stride of 1 or 2: got [6, 6, 8, 8] and [2, 1, 4, 1]"),
        ({"channels": (6, 0, 8, 8)}, "needs channels, and a stride of 1 or 2: got [6, 0, 8, 8]"),
        ({"kernel_size": 4}, "must have an odd side to keep the sides of the maps: got 4"),
    ],
)
def test_networks_that_cannot_be_are_refused(settings, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        StridedGroupCNN(**settings)


def test_the_sizes_that_are_told_can_be():
    for side in (4, 8):
        model = StridedGroupCNN(image_size=side, channels=(2, 2), strides=(2, 2))
        assert model(torch.zeros(2, 1, side, side)).shape == (2, 10)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="StridedGroupCNN takes images of 28x28: got 32x32"):
        StridedGroupCNN()(torch.zeros(1, 1, 32, 32))


def test_the_last_convolution_is_scaled_for_logits_and_not_for_a_rectifier():
    torch.manual_seed(0)
    kernel = StridedGroupCNN().last.kernel
    logits = kernel.weight.std().item()
    kernel.reset_parameters()
    assert kernel.weight.std().item() / logits == pytest.approx(2**0.5, rel=0.05)
