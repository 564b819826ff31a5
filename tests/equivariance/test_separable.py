import pytest
import torch

from gradlab.equivariance import (
    CyclicGroup,
    DepthwiseConvolution,
    DihedralGroup,
    GroupConvolution,
    SeparableGroupConvolution,
    transformed,
)


def name(value: object) -> str | None:
    return value.table.name if hasattr(value, "table") else None


@pytest.mark.parametrize("group", [CyclicGroup(2), CyclicGroup(4), DihedralGroup(4)], ids=name)
def test_whole_numbers_turn_with_the_features_exactly(group):
    layer = SeparableGroupConvolution(group, 2, 3, 3, padding=1, bias=True)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randint(-4, 5, parameter.shape))
        x = torch.randint(-4, 5, (2, 2, group.table.order, 7, 7)).float()
        y = layer(x)
        for g in range(group.table.order):
            turned = layer(transformed(group.table, g, x, on_group=True))
            assert torch.equal(turned, transformed(group.table, g, y, on_group=True))


@pytest.mark.parametrize("group", [CyclicGroup(4), CyclicGroup(8)], ids=name)
def test_it_is_the_group_convolution_with_the_product_of_its_kernels(group):
    torch.manual_seed(0)
    layer = SeparableGroupConvolution(group, 2, 3, 3).double()
    dense = GroupConvolution(group, 2, 3, 3).double()
    channels, plane = layer.pointwise.kernel.weight, layer.depthwise.kernel.weight
    with torch.no_grad():
        dense.kernel.weight.copy_(channels * plane[:, :, None])
    x = torch.randn(2, 2, group.table.order, 6, 8, dtype=torch.float64)
    torch.testing.assert_close(layer(x), dense(x), rtol=1e-12, atol=1e-12)


def test_it_has_fewer_weights_and_the_same_first_variance():
    torch.manual_seed(0)
    group = CyclicGroup(4)
    layer = SeparableGroupConvolution(group, 64, 64, 5)
    assert sum(parameter.numel() for parameter in layer.parameters()) == 64 * 64 * 4 + 64 * 25
    assert layer(torch.randn(8, 64, 4, 12, 12)).var().item() == pytest.approx(2, rel=0.15)


def test_export_is_exact():
    torch.manual_seed(0)
    layer = SeparableGroupConvolution(CyclicGroup(4), 2, 3, 3, stride=2, bias=True).eval()
    x = torch.randn(2, 2, 4, 9, 9)
    with torch.no_grad():
        assert torch.equal(layer.export()(x), layer(x))
    with pytest.raises(ValueError, match="break equivariance"):
        DepthwiseConvolution(CyclicGroup(4), 2, 3, stride=2)(torch.zeros(1, 2, 4, 8, 8))
