import pytest
import torch
from torch import nn

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    GroupConvolution,
    GroupPooling,
    LiftingConvolution,
    ProductGroup,
    ScaleGroup,
    agreement_basis,
    cyclic,
    interpolated,
)
from gradlab.equivariance.taps import tap_points
from gradlab.evaluation import equivariance
from gradlab.evaluation.equivariance import pictures
from gradlab.models import CNN, GroupEquivariantCNN

C4, C8, D4 = CyclicGroup(4), CyclicGroup(8), DihedralGroup(4)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("group", [C4, D4, C8], ids=lambda group: group.table.name)
def test_exact_layers_have_rounding_errors_where_the_grid_is_kept(group):
    for module, on_group in ((LiftingConvolution(group, 1, 4, 5).double(), False),
                             (GroupConvolution(group, 1, 4, 5).double(), True)):  # fmt: skip
        found = equivariance(module, group, side=13, on_group=on_group)
        assert [one.element for one in found] == list(range(group.table.order))
        assert all(one.error < 1e-14 for one in found if one.everywhere)
        assert sum(one.everywhere for one in found) == (4 if group is C8 else group.table.order)


def test_angles_between_quarter_turns_are_judged_at_the_centre():
    good = LiftingConvolution(C8, 1, 8, 5, family=agreement_basis(dimensions=11)).double()
    poor = LiftingConvolution(C8, 1, 8, 5, family=interpolated(disc=False)).double()
    good_error, poor_error = (equivariance(layer, C8, side=13)[1] for layer in (good, poor))
    assert not good_error.everywhere
    assert good_error.error < 0.005
    assert poor_error.error > 0.2


def test_magnified_pictures_are_compared_where_the_range_has_a_counterpart():
    group = ProductGroup(C4, ScaleGroup(3, depth=1))
    lifting = LiftingConvolution(group, 1, 8, 7, family=agreement_basis(dimensions=6)).double()
    convolution = GroupConvolution(group, 2, 8, 7, family=agreement_basis(dimensions=6)).double()
    for module, channels, on_group in ((lifting, 1, False), (convolution, 2, True)):
        found = equivariance(module, group, channels=channels, on_group=on_group, side=13, highest=0.25)
        assert [one.everywhere for one in found] == 4 * [True, False, False]
        assert all(one.error < (1e-13 if one.everywhere else 0.01) for one in found)
    coarser = [one.error for one in equivariance(lifting, ScaleGroup(3), side=13, act=lambda _, y: y) if one.element]
    assert min(coarser) > 0.1, "an output that stays where it was is not equivariant"


def test_a_plain_convolution_is_told_apart():
    assert equivariance(nn.Conv2d(1, 4, 5), cyclic(4), side=13)[1].error > 0.5
    symmetric = nn.Conv2d(1, 4, 3)
    with torch.no_grad():
        symmetric.weight.fill_(0.1)
    assert equivariance(symmetric, cyclic(4), side=13)[1].error < 1e-6


def test_networks_with_invariant_logits():
    errors = equivariance(GroupEquivariantCNN(C4, 1, 10, 5, 1, 4).double(), C4, side=17)
    assert all(one.error < 1e-13 and one.everywhere for one in errors)
    assert equivariance(CNN(1, 10, 5, 1, 8), C4, side=17)[1].error > 0.05


def test_an_invariant_network_is_not_blamed_for_the_corners():
    """The mean of a radially symmetric filter's squared responses: invariant to turns, up to the grid's own error."""
    radius = tap_points(9).norm(dim=1)
    filtered = nn.Conv2d(1, 1, 9, bias=False).double()

    class Energy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.filtered = filtered

        def forward(self, x):
            return self.filtered(x).square().mean((2, 3))

    with torch.no_grad():
        filtered.weight.copy_((torch.exp(-radius.square() / 4) * (1 - radius.square() / 4)).view(1, 1, 9, 9))
    assert max(one.error for one in equivariance(Energy(), C8, side=33)) < 0.05


def test_maps_without_a_group_axis_turn_as_pictures():
    module = nn.Sequential(LiftingConvolution(D4, 2, 3, 3), GroupPooling()).double()
    assert all(one.error < 1e-14 for one in equivariance(module, D4, channels=2, side=9))


def test_an_output_of_its_own_kind_is_moved_by_the_user():
    module = nn.Sequential(LiftingConvolution(C4, 1, 2, 3), nn.AdaptiveAvgPool3d((None, 1, 1)), nn.Flatten()).double()

    def act(element, output):
        return output.view(-1, 2, 4)[:, :, C4.table.shifts[element]].flatten(1)

    assert equivariance(module, C4, side=9)[1].error > 0.01
    assert all(one.error < 1e-14 for one in equivariance(module, C4, side=9, act=act))


def test_a_centre_between_pixels_is_refused():
    with pytest.raises(ValueError, match=r"an output of 8 x 8 has no pixel at its centre"):
        equivariance(LiftingConvolution(C8, 1, 2, 5), C8, side=12)


def test_pictures_are_the_same_function_at_every_point():
    points = tap_points(5)
    torch.testing.assert_close(pictures(points, seed=3)[:, :7], pictures(points[:7], seed=3), rtol=1e-12, atol=1e-12)
    assert not torch.equal(pictures(points, seed=3), pictures(points, seed=4))
