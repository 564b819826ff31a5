import copy

import pytest
import torch
from torch.nn import functional as F

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    GroupConvolution,
    LiftingConvolution,
    grid_preserving,
    transformed,
)

EXACT = [CyclicGroup(2), CyclicGroup(4), DihedralGroup(1), DihedralGroup(2), DihedralGroup(4)]


def name(value: object) -> str | None:
    return value.table.name if hasattr(value, "table") else None


class SwapsSides(LiftingConvolution):
    """Wrong for images that are no squares: the handbook's `x.view(..., x.shape[-1], x.shape[-2])`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = super().forward(x)
        return y.reshape(*y.shape[:-2], y.shape[-1], y.shape[-2])


class SwapsKernelSides(LiftingConvolution):
    """Wrong: height and width of the moved copies are exchanged."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        plain = self._plain()
        plain.weight = torch.nn.Parameter(plain.weight.transpose(2, 3))
        return plain(x).unflatten(1, (self.kernel.out_channels, self.kernel.table.order))


def network(group, size, lifting=LiftingConvolution, **options):
    """Two layers; whole-numbered weights make every sum exact, whatever its order."""
    torch.manual_seed(0)
    layers = [
        lifting(group, 2, 3, size, bias=True, **options),
        GroupConvolution(group, 3, 2, size, **options),
    ]
    with torch.no_grad():
        for layer in layers:
            for parameter in layer.parameters():
                parameter.copy_(torch.randint(-4, 5, parameter.shape))
    return lambda x: layers[1](layers[0](x).relu())


def whole_numbers(*shape: int) -> torch.Tensor:
    return torch.randint(-4, 5, shape, generator=torch.Generator().manual_seed(1)).float()


def check_turns_with_the_image(group, compute, x) -> None:
    with torch.no_grad():
        y = compute(x)
        for g in range(group.table.order):
            turned = compute(transformed(group.table, g, x, on_group=False))
            assert torch.equal(turned, transformed(group.table, g, y, on_group=True))


@pytest.mark.parametrize(
    ("size", "side", "options"),
    [(5, 17, {}), (3, 9, {"padding": 1}), (2, 9, {}), (3, 15, {"stride": 2}), (3, 11, {"dilation": 2}),
     (4, 12, {"padding": 1, "stride": 1})],
)  # fmt: skip
@pytest.mark.parametrize("group", EXACT, ids=name)
def test_whole_numbers_turn_with_the_image_exactly(group, size, side, options):
    check_turns_with_the_image(group, network(group, size, **options), whole_numbers(2, 2, side, side))


def test_a_kernel_with_its_sides_exchanged_is_seen():
    group = CyclicGroup(4)
    with pytest.raises(AssertionError):
        check_turns_with_the_image(group, network(group, 3, SwapsKernelSides), whole_numbers(2, 2, 9, 9))


def test_a_transposed_group_axis_is_seen():
    """The handbook's `left_action_on_H` read the other way round."""
    group, x = CyclicGroup(4), whole_numbers(1, 3, 4, 9, 9)
    layer = GroupConvolution(group, 3, 2, 3)
    with torch.no_grad():
        layer.kernel.weight.copy_(torch.randint(-4, 5, layer.kernel.weight.shape))
        y = layer(x)
        wrong = transformed(group.table, 1, y, on_group=False).index_select(2, group.table.shifts[3])
        assert torch.equal(layer(transformed(group.table, 1, x, on_group=True)),
                           transformed(group.table, 1, y, on_group=True))  # fmt: skip
        assert not torch.equal(layer(transformed(group.table, 1, x, on_group=True)), wrong)


@pytest.mark.parametrize("group", [*EXACT, CyclicGroup(8), DihedralGroup(8)], ids=name)
def test_double_precision_is_equivariant_to_rounding(group):
    torch.manual_seed(0)
    lift, conv = LiftingConvolution(group, 2, 3, 5).double(), GroupConvolution(group, 3, 2, 5, padding=2).double()
    x = torch.randn(2, 2, 14, 14, dtype=torch.float64)
    with torch.no_grad():
        y = conv(lift(x).relu())
        for g in grid_preserving(group.table, 14).tolist():
            turned = conv(lift(transformed(group.table, g, x, on_group=False)).relu())
            error = (turned - transformed(group.table, g, y, on_group=True)).abs().max() / y.abs().max()
            assert error < 1e-14


def check_heights_and_widths_may_differ(lifting) -> None:
    group, x = CyclicGroup(2), whole_numbers(1, 2, 9, 6)
    lift = lifting(group, 2, 3, 3)
    with torch.no_grad():
        lift.kernel.weight.copy_(torch.randint(-4, 5, lift.kernel.weight.shape))
        y = lift(x)
        assert y.shape == (1, 3, 2, 7, 4)
        assert torch.equal(lift(x.flip(2, 3)), y.flip(3, 4).flip(2))
        plain = F.conv2d(x, lift.kernel.weight.view(3, 2, 3, 3))
        assert torch.equal(y[:, :, 0], plain)


def test_heights_and_widths_may_differ():
    check_heights_and_widths_may_differ(LiftingConvolution)


def test_exchanged_sides_are_seen_on_images_that_are_no_squares():
    """On squares nothing is wrong, so that no check on them can see it."""
    group = CyclicGroup(4)
    check_turns_with_the_image(group, network(group, 3, SwapsSides), whole_numbers(2, 2, 9, 9))
    with pytest.raises(AssertionError):
        check_heights_and_widths_may_differ(SwapsSides)


@pytest.mark.parametrize("groups", [1, 2])
def test_parts_of_the_channels_stay_apart(groups):
    layer = GroupConvolution(CyclicGroup(4), 4, 6, 3, groups=groups)
    assert layer.kernel.weight.shape == (6, 4 // groups, 4, 9)
    x = torch.randn(1, 4, 4, 7, 7, requires_grad=True)
    layer(x)[:, :3].square().sum().backward()
    assert x.grad is not None
    assert bool(x.grad[:, 2:].any()) == (groups == 1)


@pytest.mark.parametrize(
    ("options", "side", "told"),
    [({"stride": 2}, 28, "take a height of 27 or 29"), ({"stride": 3}, 10, "or a padding of 1"),
     ({"stride": 2, "padding": 1}, 28, "break equivariance"),
     ({}, 2, "height 2 with padding 0 is smaller than the kernel's 3")],
)  # fmt: skip
def test_steps_that_stop_short_of_the_edge_are_refused(options, side, told):
    layer = LiftingConvolution(CyclicGroup(4), 1, 1, 3, **options)
    with pytest.raises(ValueError, match=told):
        layer(torch.zeros(1, 1, side, side))


def test_the_nearest_legal_choices_are_legal():
    layer = LiftingConvolution(CyclicGroup(4), 1, 1, 4, stride=2)
    with pytest.raises(ValueError, match=r"take a height of 16 or 18") as refused:
        layer(torch.zeros(1, 1, 17, 17))
    assert "padding" not in str(refused.value).partition("take")[2]
    for side in (16, 18):
        assert layer(torch.zeros(1, 1, side, side)).shape[-1] == (side - 4) // 2 + 1


@pytest.mark.parametrize("options", [{"stride": 0}, {"dilation": 0}, {"padding": -1}])
def test_impossible_sizes_are_refused(options):
    with pytest.raises(ValueError, match="are at least 1, padding at least 0"):
        LiftingConvolution(CyclicGroup(4), 1, 1, 3, **options)
    for channels in ((3, 2), (4, 3)):
        with pytest.raises(ValueError, match=r"groups must divide the channels: got 2 for \d in and \d out"):
            GroupConvolution(CyclicGroup(4), *channels, 3, groups=2)
    with pytest.raises(ValueError, match="kernels of C8 are resampled for taps one pixel apart: got a dilation of 2"):
        LiftingConvolution(CyclicGroup(8), 1, 1, 3, dilation=2)


@pytest.mark.parametrize("group", [CyclicGroup(4), CyclicGroup(8)], ids=name)
def test_export_makes_torch_s_own_layers_without_a_difference(group):
    torch.manual_seed(0)
    lift = LiftingConvolution(group, 2, 3, 3, padding=1, bias=True).eval()
    conv = GroupConvolution(group, 3, 2, 3, stride=2, dilation=1).eval()
    x = torch.randn(2, 2, 9, 9)
    with torch.no_grad():
        plain = torch.nn.Sequential(lift.export(), conv.export())
        assert torch.equal(plain(x), conv(lift(x)))
    kinds = {type(module).__module__.partition(".")[0] for module in plain.modules()}
    assert kinds == {"torch"}


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")
@pytest.mark.parametrize("group", [CyclicGroup(4), CyclicGroup(8)], ids=name)
def test_it_compiles_in_one_piece_and_exports(group):
    torch.manual_seed(0)
    model = torch.nn.Sequential(LiftingConvolution(group, 1, 2, 3), GroupConvolution(group, 2, 2, 3)).eval()
    x = torch.randn(2, 1, 8, 8)
    with torch.no_grad():
        expected = model(x)
        assert torch.allclose(torch.compile(model, backend="eager", fullgraph=True)(x), expected, atol=1e-6)
        assert torch.allclose(torch.export.export(model, (x,)).module()(x), expected, atol=1e-6)
    assert torch.equal(copy.deepcopy(model)(x), expected)
