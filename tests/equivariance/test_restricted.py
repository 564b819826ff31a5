from dataclasses import replace

import pytest
import torch

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    ExpandedKernel,
    agreement_basis,
    exact_taps,
    grid_preserving,
    restricted,
    subgroup_indices,
    transformed,
)
from gradlab.equivariance.kernel_family import Family

PAIRS = [(CyclicGroup(4), CyclicGroup(8)), (CyclicGroup(8), CyclicGroup(16)), (CyclicGroup(4), DihedralGroup(8)),
         (DihedralGroup(4), DihedralGroup(8)), (CyclicGroup(3), CyclicGroup(6))]  # fmt: skip
pairs = pytest.mark.parametrize(("group", "finer"), PAIRS, ids=lambda group: group.table.name)


def kernel(group, family: Family | None, *, on_group: bool) -> ExpandedKernel:
    torch.manual_seed(0)
    return ExpandedKernel(group, 5, 2, 3, on_group=on_group, family=family)


@pairs
def test_copies_are_those_of_the_finer_group(group, finer):
    part, whole = (
        kernel(acting, family, on_group=False)
        for acting, family in ((group, restricted(finer)), (finer, agreement_basis()))
    )
    with torch.no_grad():
        part.weight.copy_(whole.weight)
    inside = subgroup_indices(finer.table, group.table)
    assert part.weight.shape == whole.weight.shape
    assert torch.equal(part(), whole()[:, inside])


@pairs
@pytest.mark.parametrize("on_group", [False, True])
def test_the_filter_constraint_holds_bit_for_bit_where_the_grid_is_kept(group, finer, on_group):
    made = kernel(group, restricted(finer), on_group=on_group)()
    for s in grid_preserving(group.table, 5).tolist():
        for h in range(group.table.order):
            moved = transformed(group.table, s, made[:, h], on_group=on_group)
            assert torch.equal(made[:, group.table.product[s, h]], moved)


def test_elements_of_the_finer_group_in_its_own_order_are_told_apart():
    """The first elements of C8 are no quarter turns."""
    group, finer = CyclicGroup(4), CyclicGroup(8)

    def first(table, size):
        made = restricted(finer)(table, size)
        whole = agreement_basis()(finer.table, size)
        return replace(made, resampling=whole.resampling, representative=whole.representative[:4],
                       permutation=whole.permutation[:4])  # fmt: skip

    made = kernel(group, first, on_group=False)()
    assert not torch.equal(made[:, 1], transformed(group.table, 1, made[:, 0], on_group=False))


def test_the_error_is_that_of_the_turns_which_are_left():
    whole = agreement_basis()(CyclicGroup(16).table, 5)
    assert restricted(CyclicGroup(16))(CyclicGroup(8).table, 5).error == whole.error > 0
    assert restricted(CyclicGroup(16))(CyclicGroup(4).table, 5).error == 0
    assert restricted(CyclicGroup(16))(CyclicGroup(4).table, 5).dimensions == whole.dimensions < 25


def test_taps_stay_taps():
    assert restricted(DihedralGroup(4), exact_taps)(CyclicGroup(4).table, 3).resampling is None


def test_a_group_that_is_no_part_is_refused():
    with pytest.raises(ValueError, match="C6 is not a subgroup of C8"):
        restricted(CyclicGroup(8))(CyclicGroup(6).table, 5)
