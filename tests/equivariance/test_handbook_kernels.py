import pytest
import torch
from torch.nn.functional import grid_sample

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    GroupKernelBase,
    InterpolativeGroupKernel,
    InterpolativeLiftingKernel,
    LiftingKernelBase,
)
from tests.equivariance.test_groups import FloatAngles

GROUPS = [*(CyclicGroup(order) for order in (2, 4, 6, 8, 12, 16)), *(DihedralGroup(order) for order in (1, 3, 4, 8))]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.table.name)
@pytest.mark.parametrize("kind", [InterpolativeLiftingKernel, InterpolativeGroupKernel])
def test_it_is_grid_sample_on_the_moved_grid(kind, group):
    made, order = kind(group, 5, 2, 3), group.table.order
    grid = getattr(made, "transformed_grid_R2xH", made.transformed_grid_R2)
    weight = made.weight.flatten(0, 1).expand(order, *([-1] * (made.weight.ndim - 1)))
    read = grid_sample(weight, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    expected = read.unflatten(1, (3, 2)).transpose(0, 1)
    assert torch.allclose(made.sample(), expected, atol=1e-6)
    assert torch.equal(made.sample()[:, 0], made.weight)


class InterpolatesTheGroup(InterpolativeGroupKernel):
    """The handbook's sampler, which reads the group axis where the group's numbers say."""

    def sample(self):
        order = self.group.table.order
        weight = self.weight.flatten(0, 1).expand(order, -1, -1, -1, -1)
        read = grid_sample(weight, self.transformed_grid_R2xH, padding_mode="zeros", align_corners=True)
        return read.unflatten(1, (self.out_channels, self.in_channels)).transpose(0, 1)


def check_no_slice_vanishes(made: InterpolativeGroupKernel) -> None:
    copies = made.sample()[0, :, 0]
    assert (copies.abs().amax((-2, -1)) > 0).all()
    middle = copies[:, :, 1, 1]
    torch.testing.assert_close(middle, made.weight[0, 0, :, 1, 1][made.group.table.shifts], rtol=0, atol=1e-5)


@pytest.mark.parametrize("order", range(2, 65))
def test_no_slice_of_the_kernel_vanishes(order):
    """The handbook's float angles lose slices of 50 of these orders."""
    made = InterpolativeGroupKernel(CyclicGroup(order), 3, 1, 1)
    check_no_slice_vanishes(made)
    middle = made.sample()[0, :, 0, :, 1, 1]
    assert torch.equal(middle, made.weight[0, 0, :, 1, 1][made.group.table.shifts])


def test_slices_that_vanish_with_float_angles_are_seen():
    """With elements that close, the handbook's way to read the group axis is right."""
    check_no_slice_vanishes(InterpolatesTheGroup(CyclicGroup(8), 3, 1, 1))
    with pytest.raises(AssertionError):
        check_no_slice_vanishes(InterpolatesTheGroup(FloatAngles(8), 3, 1, 1))


def test_a_base_has_grids_and_no_kernel():
    for kind in (LiftingKernelBase, GroupKernelBase):
        with pytest.raises(NotImplementedError):
            kind(CyclicGroup(4), 3, 1, 1).sample()
