"""Finite groups of the plane: 2x2 matrices, from which every table is derived once and kept as integers."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

CLOSED = 1e-9
"""How far a product of two elements may lie from an element, in any entry of the matrix."""


@dataclass(frozen=True, slots=True, eq=False)
class FiniteGroup:
    """A finite group acting on the plane by left multiplication of column vectors (x, y), y upwards.

    Args:
        name: such as "C4".
        matrices: float64 [order, 2, 2].
        product: int64 [order, order], the index of g h at [g, h]: the Cayley table.
        inverse: int64 [order].
        identity: index of the identity.

    Source: the axioms as in the handbook, practical 4, section 1.1.
    """

    name: str
    matrices: Tensor
    product: Tensor
    inverse: Tensor
    identity: int

    @property
    def order(self) -> int:
        """How many elements there are."""
        return len(self.matrices)

    @property
    def shifts(self) -> Tensor:
        """int64 [order, order], the index of g^-1 h at [g, h]: where a function on the group is read after g acted."""
        return self.product[self.inverse]

    @property
    def reach(self) -> int:
        """How many relative elements h^-1 h' a kernel on the group covers: here all."""
        return self.order

    @property
    def offsets(self) -> Tensor:
        """int64 [order, order], the place of g^-1 h along a kernel's group axis at [g, h]; here its index."""
        return self.shifts

    @property
    def relatives(self) -> Tensor:
        """The matrices of the relative elements that a kernel on the group covers, float64 [reach, 2, 2]."""
        return self.matrices

    @property
    def magnifications(self) -> Tensor:
        """How much longer each element makes a line, float64 [order]: here 1."""
        return torch.ones(self.order, dtype=torch.float64)

    def pulled(self, points: Tensor) -> Tensor:
        """Where a function that each element moved is read at each point: at g^-1 x, float64 [order, points, 2].

        Args:
            points: (x, y), float64 [points, 2].
        """
        # The inverse of a rotation or reflection is its transpose, and row vectors times g are g^T x.
        return points @ (self.matrices / self.magnifications.square().view(-1, 1, 1))


def finite_group(name: str, matrices: Tensor) -> FiniteGroup:
    """The group whose elements are these matrices, in this order.

    Args:
        name: such as "C4".
        matrices: [order, 2, 2], orthogonal.

    Raises:
        ValueError: they are not closed under multiplication, lack the identity, or repeat.
    """
    matrices = matrices.to(torch.float64)
    products = torch.einsum("gij,hjk->ghik", matrices, matrices)
    apart = (products.unsqueeze(2) - matrices).abs().amax((-2, -1))
    distance, product = apart.min(2)
    if not (distance < CLOSED).all():
        raise ValueError(
            f"{name} is not closed: a product of two of its matrices is {distance.max():.3g} off every one"
        )
    count = torch.arange(len(matrices))
    if not torch.equal(product.sort(1).values, count.expand(len(matrices), -1)):
        raise ValueError(f"{name} is no group: two of its elements are the same")
    # In a finite closed set in which g h takes every value once, one element is the identity.
    identity = int((product == count).all(1).int().argmax())
    return FiniteGroup(name, matrices, product, (product == identity).int().argmax(1), identity)


def rotations(order: int) -> Tensor:
    """Counter-clockwise rotations by multiples of 360 / order degrees, float64 [order, 2, 2]; quarter turns exactly."""
    angles = 2 * math.pi * torch.arange(order, dtype=torch.float64) / order
    cos, sin = angles.cos(), angles.sin()
    if order % 4 == 0:
        quarter = order // 4
        cos[quarter::quarter] = torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64)
        sin[quarter::quarter] = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)
    elif order % 2 == 0:
        cos[order // 2], sin[order // 2] = -1.0, 0.0
    return torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)


def cyclic(order: int) -> FiniteGroup:
    """C_n: rotations by multiples of 360 / n degrees; element k is k of them.

    Raises:
        ValueError: `order` is not positive.
    """
    if order < 1:
        raise ValueError(f"a cyclic group has at least 1 element: got {order}")
    return finite_group(f"C{order}", rotations(order))


def dihedral(order: int) -> FiniteGroup:
    """D_n: n rotations, then the same after a reflection in the x axis (y to -y); 2 n elements.

    Raises:
        ValueError: `order` is not positive.
    """
    if order < 1:
        raise ValueError(f"a dihedral group has at least 1 rotation: got {order}")
    turns = rotations(order)
    reflection = torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))
    return finite_group(f"D{order}", torch.cat([turns, turns @ reflection]))


def subgroup(group: FiniteGroup, elements: Tensor) -> FiniteGroup:
    """Some elements of a group as a group of their own, in the given order.

    Args:
        group: the whole.
        elements: int64 indices into it.

    Raises:
        ValueError: they are not closed.
    """
    return finite_group(f"{group.name}|{len(elements)}", group.matrices[elements])


def subgroup_indices(group: FiniteGroup, part: FiniteGroup) -> Tensor:
    """The index in `group` of each element of `part`, int64 [part.order].

    Raises:
        ValueError: `part` has an element that `group` lacks.
    """
    apart = (part.matrices.unsqueeze(1) - group.matrices).abs().amax((-2, -1))
    distance, index = apart.min(1)
    if not (distance < CLOSED).all():
        raise ValueError(f"{part.name} is not a subgroup of {group.name}: an element is missing there")
    return index


def cosets(group: FiniteGroup, part: Tensor) -> Tensor:
    """The right cosets S r of a subgroup S, int64 [order / |S|, |S|]; row 0 is S, its order kept, and r leads each row.

    Args:
        group: the whole.
        part: indices of the subgroup, the identity first.
    """
    rows: list[Tensor] = []
    seen: set[int] = set()
    for element in [group.identity, *range(group.order)]:
        if element not in seen:
            rows.append(group.product[part, element])
            seen.update(rows[-1].tolist())
    return torch.stack(rows)
