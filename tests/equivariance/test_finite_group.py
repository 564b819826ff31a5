import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.equivariance import FiniteGroup, cyclic, dihedral, finite_group, subgroup
from gradlab.equivariance.finite_group import cosets, rotations, subgroup_indices

orders = st.integers(1, 64)


def check_axioms(group: FiniteGroup) -> None:
    """Closure, associativity, identity and inverse, of integers; and that the table is that of the matrices."""
    places = torch.arange(group.order)
    assert torch.equal(group.product[group.identity], places)
    assert torch.equal(group.product[:, group.identity], places)
    assert torch.equal(group.product[places, group.inverse], torch.full_like(places, group.identity))
    assert torch.equal(group.product[group.inverse, places], torch.full_like(places, group.identity))
    a, b, c = torch.randint(0, group.order, (3, 500), generator=torch.Generator().manual_seed(0))
    assert torch.equal(group.product[group.product[a, b], c], group.product[a, group.product[b, c]])
    assert torch.allclose(group.matrices[a] @ group.matrices[b], group.matrices[group.product[a, b]], atol=1e-12)


@settings(deadline=None)
@given(orders)
def test_cyclic_groups_add(order):
    group = cyclic(order)
    check_axioms(group)
    steps = torch.arange(order)
    assert torch.equal(group.product, (steps[:, None] + steps) % order)
    assert torch.equal(group.shifts, (steps - steps[:, None]) % order)


@settings(deadline=None, max_examples=30)
@given(orders)
def test_dihedral_groups_hold_their_relations(order):
    group = dihedral(order)
    check_axioms(group)
    assert group.order == 2 * order
    turn, flip = 1 % order, order
    assert group.product[flip, flip] == group.identity
    assert group.product[group.product[flip, turn], flip] == group.inverse[turn]


@pytest.mark.parametrize("order", [4, 8, 12, 16, 64])
def test_quarter_turns_are_integers(order):
    quarters = rotations(order)[:: order // 4]
    assert torch.equal(quarters, quarters.round())
    assert torch.equal(quarters[1], torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64))


def test_what_is_no_group_is_refused():
    angles = torch.tensor([0.0, 2.0])
    open_set = torch.stack([torch.stack([angles.cos(), -angles.sin()], -1),
                            torch.stack([angles.sin(), angles.cos()], -1)], -2)  # fmt: skip
    with pytest.raises(ValueError, match="is not closed"):
        finite_group("open", open_set)
    with pytest.raises(ValueError, match="two of its elements are the same"):
        finite_group("twice", torch.eye(2).expand(2, 2, 2))
    for make in (cyclic, dihedral):
        with pytest.raises(ValueError, match="at least 1"):
            make(0)


def test_float_angles_would_be_seen():
    """The handbook's groups: angles in float32, wrapped by a remainder; g g^7 of C8 is a full turn, not zero."""
    angles = torch.linspace(0, 2 * math.pi * 7 / 8, 8)
    wrapped = torch.remainder(angles[1] + angles[7], 2 * math.pi)
    assert abs(wrapped - angles[cyclic(8).product[1, 7]]) > 6


def test_subgroups_and_their_cosets():
    whole = dihedral(8)
    part = subgroup(whole, torch.tensor([0, 2, 4, 6]))
    check_axioms(part)
    inside = subgroup_indices(whole, cyclic(4))
    assert inside.tolist() == [0, 2, 4, 6]
    rows = cosets(whole, inside)
    assert rows.flatten().sort().values.tolist() == list(range(16))
    assert torch.equal(rows[0], inside)
    for row in rows:
        assert torch.equal(row, whole.product[inside, row[0]])
    with pytest.raises(ValueError, match="C3 is not a subgroup of D8"):
        subgroup_indices(whole, cyclic(3))
    with pytest.raises(ValueError, match="is not closed"):
        subgroup(whole, torch.tensor([0, 1]))
