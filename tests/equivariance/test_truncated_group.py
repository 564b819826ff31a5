import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.equivariance import (
    FiniteGroup,
    TruncatedGroup,
    cyclic,
    dihedral,
    grid_preserving,
    scale,
    scaled,
    subgroup_indices,
    tap_permutations,
)
from gradlab.equivariance.taps import tap_points

GROUPS = st.one_of(st.integers(1, 8).map(cyclic), st.integers(1, 4).map(dihedral))


def found(group: TruncatedGroup, matrix: torch.Tensor) -> int:
    """The index of a matrix among the elements, or -1."""
    distance = (group.matrices - matrix).abs().amax((-2, -1))
    return int(distance.argmin()) if distance.min() < 1e-9 else -1


def check_tables(group: TruncatedGroup) -> None:
    """Every table says what the matrices say, and -1 exactly where their product is no element."""
    inverses = torch.linalg.inv(group.matrices)
    places = range(group.order)
    assert group.matrices[group.identity].equal(torch.eye(2, dtype=torch.float64))
    for g in places:
        assert group.inverse[g] == found(group, inverses[g])
        for h in places:
            assert group.product[g, h] == found(group, group.matrices[g] @ group.matrices[h])
            assert group.shifts[g, h] == found(group, inverses[g] @ group.matrices[h])
            offset = group.offsets[g, h]
            relative = inverses[g] @ group.matrices[h]
            near = (group.relatives - relative).abs().amax((-2, -1)) < 1e-9
            assert near.any() == (offset >= 0)
            assert offset < 0 or near[offset]


@settings(deadline=None, max_examples=25)
@given(GROUPS, st.integers(1, 4), st.booleans(), st.sampled_from([2**0.5, 1.3, 2.0]), st.data())
def test_the_tables_are_those_of_the_matrices(group, scales, centred, base, data):
    scales = 2 * (scales // 2) + 1 if centred else scales
    depth = data.draw(st.integers(1, scales))
    check_tables(scaled(group, scales, base=base, centred=centred, depth=depth))


@settings(deadline=None, max_examples=15)
@given(GROUPS, st.integers(1, 5))
def test_the_axioms_hold_wherever_every_product_stays_in_the_range(group, scales):
    whole = scaled(group, 2 * (scales // 2) + 1, centred=True)
    places = torch.arange(whole.order)
    assert torch.equal(whole.product[whole.identity], places)
    assert torch.equal(whole.product[:, whole.identity], places)
    inverse = whole.inverse
    assert (inverse >= 0).all(), "a centred range has every inverse"
    assert (whole.product[places, inverse] == whole.identity).all()
    triples = torch.randint(0, whole.order, (300, 3), generator=torch.Generator().manual_seed(0)).tolist()
    for a, b, c in triples:
        ab, bc = int(whole.product[a, b]), int(whole.product[b, c])
        if ab >= 0 and bc >= 0:
            assert whole.product[ab, c] == whole.product[a, bc]


def test_closure_does_not_hold():
    steps = scale(3, base=2.0)
    assert steps.product.tolist() == [[0, 1, 2], [1, 2, -1], [2, -1, -1]]
    assert steps.inverse.tolist() == [0, -1, -1]
    assert steps.shifts.tolist() == [[0, 1, 2], [-1, 0, 1], [-1, -1, 0]]
    assert scale(3, base=2.0, depth=2).offsets.tolist() == [[0, 1, -1], [-1, 0, 1], [-1, -1, 0]]


@pytest.mark.parametrize("group", [cyclic(4), dihedral(3)], ids=lambda group: group.name)
def test_the_determinant_is_that_of_the_matrix(group):
    whole = scaled(group, 3, base=1.7, centred=True)
    assert torch.allclose(torch.linalg.det(whole.matrices).abs(), whole.magnifications.square())
    assert torch.allclose(whole.magnifications.view(-1, 3), torch.tensor([1 / 1.7, 1.0, 1.7], dtype=torch.float64))
    points = tap_points(3)
    assert torch.allclose(whole.pulled(points), points @ torch.linalg.inv(whole.matrices).mT)


def test_only_the_finite_part_keeps_a_grid():
    whole = scaled(cyclic(8), 3, base=2.0)
    assert grid_preserving(whole, 5).tolist() == [0, 6, 12, 18]
    shrunk = tap_permutations(scale(3, base=2.0, centred=True), 3)
    assert (shrunk[[0, 2]] == -1).all(), "reads at twice the distance lie on a grid, but outside the kernel"
    assert grid_preserving(scale(3), 1).tolist() == [0, 1, 2]


def test_a_finite_part_is_found_in_it():
    whole = scaled(dihedral(4), 2)
    assert subgroup_indices(whole, cyclic(4)).tolist() == [0, 2, 4, 6]
    assert whole.name == "D4xS2"
    assert isinstance(whole, FiniteGroup)
    for g, i in itertools.product(range(8), range(2)):
        expected = whole.compact.matrices[g] * math.sqrt(2) ** i
        assert torch.allclose(whole.matrices[2 * g + i], expected)


def test_impossible_ranges_are_refused():
    with pytest.raises(ValueError, match="at least 1 scale, each larger than the last: got 0 of base 2"):
        scale(0, base=2.0)
    with pytest.raises(ValueError, match="got 3 of base 1"):
        scale(3, base=1.0)
    with pytest.raises(ValueError, match="an odd number of scales, or none is 1: got 4"):
        scale(4, centred=True)
    with pytest.raises(ValueError, match="from 1 to all 3 scales: got a depth of 4"):
        scale(3, depth=4)
