import pytest
import torch

from gradlab.equivariance import cyclic, dihedral, grid_preserving, tap_permutations, transformed
from gradlab.equivariance.taps import tap_points


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_rotations_are_counter_clockwise(size):
    picture = torch.arange(size**2).view(1, size, size)
    for quarter in range(4):
        assert torch.equal(
            transformed(cyclic(4), quarter, picture, on_group=False), torch.rot90(picture, quarter, (1, 2))
        )


def test_the_reflection_turns_upside_down():
    picture = torch.arange(12).view(3, 2, 2)
    assert torch.equal(transformed(dihedral(4), 4, picture, on_group=False), picture.flip(-2))


@pytest.mark.parametrize("size", [2, 5])
def test_acting_twice_is_acting_with_the_product(size):
    group = dihedral(4)
    features = torch.rand(3, group.order, size, size, generator=torch.Generator().manual_seed(0))
    for g in range(group.order):
        for h in range(group.order):
            twice = transformed(group, g, transformed(group, h, features, on_group=True), on_group=True)
            assert torch.equal(twice, transformed(group, int(group.product[g, h]), features, on_group=True))


def test_the_group_axis_moves_with_the_element():
    features = torch.arange(4.0).view(1, 4, 1, 1)
    assert transformed(cyclic(4), 1, features, on_group=True).flatten().tolist() == [3, 0, 1, 2]


def test_what_leaves_the_grid_is_told():
    assert grid_preserving(cyclic(8), 5).tolist() == [0, 2, 4, 6]
    assert grid_preserving(cyclic(6), 5).tolist() == [0, 3]
    assert (tap_permutations(cyclic(8), 5)[1] == -1).all()
    with pytest.raises(ValueError, match="element 1 of C8 moves pixels off the grid"):
        transformed(cyclic(8), 1, torch.zeros(1, 5, 5), on_group=False)
    with pytest.raises(ValueError, match="only square features"):
        transformed(cyclic(4), 1, torch.zeros(1, 5, 4), on_group=False)


def test_points_go_row_by_row_from_the_top():
    assert tap_points(2).tolist() == [[-0.5, 0.5], [0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]]
