import copy

import pytest
import torch
from torch import nn

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    GroupBase,
    GroupConvolution,
    LiftingConvolution,
    ProductGroup,
    ScaleGroup,
    SeparableGroupConvolution,
    cyclic,
    dihedral,
    grid_preserving,
    scaled,
    siren,
    transformed,
)
from gradlab.equivariance.siren import Siren, element_coordinates
from tests.equivariance.waves import error_at_the_centre

GROUPS = [
    CyclicGroup(4),
    CyclicGroup(8),
    DihedralGroup(4),
    ScaleGroup(3),
    ProductGroup(CyclicGroup(4), ScaleGroup(2)),
    ProductGroup(DihedralGroup(2), ScaleGroup(3, 2.0, centred=True, depth=2)),
]


def name(value: object) -> str | None:
    return value.table.name if isinstance(value, GroupBase) else None


def layers(group: GroupBase, size: int = 5, separable: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    second = SeparableGroupConvolution if separable else GroupConvolution
    return nn.Sequential(
        LiftingConvolution(group, 2, 3, size, family=siren()),
        nn.ReLU(),
        second(group, 3, 4, size, padding=size // 2, family=siren()),
    )


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_quarter_turns_are_exact_to_rounding(group, separable):
    """Knigge's layers: 5e-7 relative at 90 degrees in single precision."""
    for model, x, limit in (
        (layers(group, separable=separable), torch.randn(2, 2, 14, 14), 1e-5),
        (layers(group, separable=separable).double(), torch.randn(2, 2, 14, 14).double(), 1e-14),
    ):
        with torch.no_grad():
            y = model(x)
            for element in grid_preserving(group.table, 14).tolist():
                turned = model(transformed(group.table, element, x, on_group=False))
                expected = transformed(group.table, element, y, on_group=True)
                assert (turned - expected).abs().max() < limit * y.abs().max()


@pytest.mark.parametrize("size", [3, 4])
@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_the_filter_constraint_holds_bit_for_bit(group, size):
    made = layers(group, size)[2].kernel()
    for s in grid_preserving(group.table, size).tolist():
        for h in range(group.table.order):
            assert torch.equal(made[:, group.table.product[s, h]],
                               transformed(group.table, s, made[:, h], on_group=True))  # fmt: skip


def test_other_turns_are_nearly_exact_where_kernels_fade():
    """Measured at half of the band, 7 taps: 0.003 faded, 0.14 within a disc, more with the corners."""
    group = CyclicGroup(8)
    errors = []
    for window in ("faded", "disc", "square"):
        torch.manual_seed(0)
        layer = LiftingConvolution(group, 1, 8, 7, family=siren(window=window)).double()
        errors.append(error_at_the_centre(group.table, [layer], 0.5))
    assert errors[0] < 0.01
    assert 0.1 < errors[1] < errors[2]


def test_magnified_kernels_are_divided_by_the_determinant():
    """Measured at a quarter of the band, 9 taps: 0.006, and 0.5 without the determinant."""
    group = ScaleGroup(3)
    torch.manual_seed(0)
    layer = LiftingConvolution(group, 1, 8, 9, family=siren()).double()
    assert error_at_the_centre(group.table, [layer], 0.25) < 0.02
    basis = layer.kernel.basis
    assert isinstance(basis, Siren)
    basis.amplitude *= group.table.magnifications.square().view(-1, 1, 1)
    assert error_at_the_centre(group.table, [layer], 0.25) > 0.3


def test_the_identity_s_kernel_is_the_network_at_the_taps():
    group = CyclicGroup(4)
    kernel = layers(group)[2].kernel
    assert isinstance(kernel.basis, Siren)
    first, second = kernel.basis.layers
    axis = torch.arange(-2.0, 3.0) / 2.5
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    angle = torch.tensor(0.5 * torch.pi)  # of element 1
    place = torch.stack([x, y, angle.cos().expand(5, 5), -angle.sin().expand(5, 5)], -1)
    values = torch.sin(5.0 * second(torch.sin(5.0 * first(place)))) @ kernel.weight[0, 1]
    fade = (1 + torch.cos(torch.pi * (x.square() + y.square()).sqrt().clamp(max=1))) / 2
    assert torch.allclose(kernel()[0, 0, 1, 1], values * fade, atol=1e-6)


@pytest.mark.parametrize("separable", [False, True])
def test_it_behaves_like_any_module(separable):
    model = layers(CyclicGroup(8), separable=separable).eval()
    x = torch.randn(2, 2, 9, 9)
    with torch.no_grad():
        expected = model(x)
    assert torch.equal(copy.deepcopy(model)(x), expected)
    other = layers(CyclicGroup(8), separable=separable)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(x), expected)
    assert list(model.state_dict()) == list(model.train().state_dict())
    doubled = copy.deepcopy(model).double()
    assert torch.allclose(doubled(x.double()).float(), expected, atol=1e-5)
    assert doubled[0].kernel.basis.coordinates.equal(doubled[0].kernel.basis._exact[0])
    for _ in range(2):
        model.zero_grad()
        model.eval()(x).square().sum().backward()
        assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_kept_copies_follow_the_network_s_weights():
    layer = layers(CyclicGroup(8))[0].eval()
    x = torch.randn(1, 2, 9, 9)
    with torch.no_grad():
        first = layer(x)
        assert layer.kernel() is layer.kernel()
        layer.kernel.basis.layers[0].bias.data.add_(0.1)
        assert not torch.equal(layer(x), first)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")
@pytest.mark.parametrize("group", [CyclicGroup(8), ProductGroup(CyclicGroup(4), ScaleGroup(2))], ids=name)
def test_it_compiles_in_one_piece_and_exports(group):
    model, x = layers(group).eval(), torch.randn(2, 2, 8, 8)
    with torch.no_grad():
        expected = model(x)
        assert torch.allclose(torch.compile(model, backend="eager", fullgraph=True)(x), expected, atol=1e-5)
        assert torch.allclose(torch.export.export(model, (x,)).module()(x), expected, atol=1e-5)
        plain = nn.Sequential(model[0].export(), model[1], model[2].export())
        assert torch.equal(plain(x), expected)


def test_taps_may_lie_apart_where_the_grid_is_kept():
    layer = LiftingConvolution(CyclicGroup(4), 1, 2, 3, dilation=2, family=siren())
    assert layer(torch.randn(1, 1, 9, 9)).shape == (1, 2, 4, 5, 5)
    with pytest.raises(ValueError, match="resampled for taps one pixel apart"):
        LiftingConvolution(CyclicGroup(8), 1, 2, 3, dilation=2, family=siren())


def test_elements_have_coordinates_that_tell_them_apart():
    assert element_coordinates(cyclic(4).matrices).shape == (4, 2)
    assert element_coordinates(dihedral(4).matrices).shape == (8, 3)
    whole = scaled(dihedral(4), 3, base=2.0)
    assert element_coordinates(whole.relatives).shape == (24, 4)
    for group in (cyclic(7), dihedral(5), whole):
        numbers = element_coordinates(group.relatives)
        apart = torch.cdist(numbers, numbers) + 9 * torch.eye(len(numbers))
        assert apart.min() > 0.1
        assert numbers.abs().max() <= 1


def test_impossible_networks_are_refused():
    with pytest.raises(ValueError, match="at least 1 feature and 1 layer: got 0 and 2"):
        siren(features=0)
    with pytest.raises(ValueError, match="one of faded, disc, square: got round"):
        siren(window="round")
