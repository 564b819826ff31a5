import pytest
import torch

from gradlab.equivariance import cyclic, dihedral, exact_taps, tap_permutations
from gradlab.equivariance.kernel_family import decomposed


@pytest.mark.parametrize("group", [cyclic(1), cyclic(2), cyclic(4), dihedral(1), dihedral(2), dihedral(4)])
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_subgroups_of_d4_need_no_resampling(group, size):
    family = exact_taps(group, size)
    assert family.resampling is None
    assert family.dimensions == size**2
    assert torch.equal(family.permutation, tap_permutations(group, size))


def test_other_groups_are_refused():
    with pytest.raises(ValueError, match="C8 moves taps of a 3 x 3 kernel off the grid"):
        exact_taps(cyclic(8), 3)


@pytest.mark.parametrize("group", [cyclic(8), cyclic(6), cyclic(5), dihedral(8), dihedral(3)])
def test_every_element_is_a_permutation_after_a_representative(group):
    representatives, representative, permutation = decomposed(group, 5)
    assert representatives[0] == group.identity
    moves = tap_permutations(group, 5)
    for h in range(group.order):
        factor = group.product[h, group.inverse[representatives[representative[h]]]]
        assert torch.equal(permutation[h], moves[factor])
        assert permutation[h, 0] >= 0


def test_the_gather_reads_the_group_axis_of_the_moved_element():
    group = cyclic(4)
    index = exact_taps(group, 1).gather(group.shifts, 4)
    assert index[:, :, 0].tolist() == [[0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1], [1, 2, 3, 0]]
