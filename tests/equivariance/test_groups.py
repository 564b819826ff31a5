import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradlab.equivariance import CyclicGroup, DihedralGroup, GroupBase


def check_protocol(group: GroupBase) -> None:
    """The methods agree with the tables for every pair of elements."""
    elements = group.elements()
    places = torch.arange(group.table.order)
    assert torch.equal(group.index(elements), places)
    products = group.left_action_on_H(elements, elements)
    assert torch.equal(group.index(products), group.table.product)
    assert torch.equal(group.product(elements[1:2], elements[-1:]), products[1, -1][None])
    assert torch.equal(group.index(group.inverse(elements)), group.table.inverse)
    assert torch.allclose(group.matrix_representation(elements), group.table.matrices.float())
    normalised = group.normalize_group_elements(products)
    assert normalised.min() == -1
    assert normalised.max() == 1


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 64))
def test_cyclic_groups_of_every_order(order):
    check_protocol(CyclicGroup(order))


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 64))
def test_dihedral_groups_of_every_order(order):
    check_protocol(DihedralGroup(order))


def test_products_stay_elements_whatever_the_rounding():
    group = CyclicGroup(8)
    angles = group.elements()
    assert group.product(angles[1], angles[7]) == 0
    assert group.index(torch.tensor(2 * math.pi - 1e-6)) == 0
    assert group.index(torch.tensor(-math.pi / 4)) == 7


class FloatAngles(CyclicGroup):
    """Wrong for most orders: the handbook's arithmetic of float32 angles, whose full turns are not zero."""

    def elements(self) -> Tensor:
        order = self.table.order
        return torch.linspace(0, 2 * math.pi * (order - 1) / order, order)

    def product(self, h: Tensor, h_prime: Tensor) -> Tensor:
        return torch.remainder(h + h_prime, 2 * math.pi)

    def inverse(self, h: Tensor) -> Tensor:
        return torch.remainder(-h, 2 * math.pi)

    def left_action_on_H(self, batch_h: Tensor, batch_h_prime: Tensor) -> Tensor:  # noqa: N802
        return self.product(batch_h[:, None], batch_h_prime)

    def normalize_group_elements(self, h: Tensor) -> Tensor:
        order = self.table.order
        return 2 * h / (2 * math.pi * (order - 1) / order) - 1


def test_float_angles_that_do_not_close_are_seen():
    with pytest.raises(AssertionError):
        check_protocol(FloatAngles(8))


def test_determinants_tell_rotations_from_reflections():
    group = DihedralGroup(6)
    assert torch.allclose(group.determinant(group.elements()), torch.tensor([1.0] * 6 + [-1.0] * 6))


def test_an_order_that_is_no_group_is_refused():
    with pytest.raises(ValueError, match="at least 2: got 1"):
        CyclicGroup(1)
    with pytest.raises(ValueError, match="at least 1 rotation: got 0"):
        DihedralGroup(0)


def test_the_base_has_no_elements():
    group = GroupBase(1, [0.0], CyclicGroup(4).table)
    for method in (group.elements, lambda: group.index(torch.zeros(1))):
        with pytest.raises(NotImplementedError):
            method()
