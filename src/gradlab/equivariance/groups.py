"""The handbook's groups: modules whose elements are numbers, on tables that are integers."""

import math

import torch
from torch import Tensor, nn

from gradlab.equivariance.finite_group import FiniteGroup, cyclic, dihedral


class GroupBase(nn.Module):
    """A finite group in the handbook's protocol, as a thin view of its integer tables.

    Args:
        dimension: numbers that name an element.
        identity: the element that does nothing.
        table: the group.

    Source: the handbook, practical 4, section 1.2.
    Differs from the handbook: products and inverses are looked up, so no rounding accumulates; `left_action_on_H` has
    the acting elements in its rows, where the handbook has them in its columns.
    """

    identity: Tensor
    _elements: Tensor

    def __init__(self, dimension: int, identity: list[float], table: FiniteGroup) -> None:
        super().__init__()
        self.dimension, self.table = dimension, table
        self.order = torch.tensor(table.order)
        self.register_buffer("identity", torch.tensor(identity), persistent=False)

    def elements(self) -> Tensor:
        """All elements, [order] or, where several numbers name one, [order, dimension]."""
        raise NotImplementedError(f"{type(self).__name__} must name its elements: write elements")

    def index(self, h: Tensor) -> Tensor:
        """int64, the place in `elements` of each element."""
        raise NotImplementedError(f"{type(self).__name__} must find its elements: write index")

    def product(self, h: Tensor, h_prime: Tensor) -> Tensor:
        """The product h h', element by element, broadcast."""
        return self._at(self._looked_up(self.table.product, self.index(h), self.index(h_prime)))

    def inverse(self, h: Tensor) -> Tensor:
        """The inverse of each element."""
        return self._at(self.table.inverse.to(self.identity.device)[self.index(h)])

    def matrix_representation(self, h: Tensor) -> Tensor:
        """What an element does to column vectors of the plane, [..., 2, 2]."""
        return self.table.matrices.to(self.identity)[self.index(torch.as_tensor(h))]

    def determinant(self, h: Tensor) -> Tensor:
        """The determinant of each element's matrix: 1 for rotations, -1 for reflections."""
        return torch.linalg.det(self.matrix_representation(h))

    def left_action_on_R2(self, batch_h: Tensor | list[Tensor], batch_x: Tensor) -> Tensor:
        """Places moved by each element, [elements, height, width, 2], the last axis swapped for `grid_sample`.

        Args:
            batch_h: elements.
            batch_x: (row, column) of each place, rows downwards, [2, height, width].
        """
        elements = torch.stack(batch_h) if isinstance(batch_h, list) else batch_h
        # A place (row, column) lies at x = column, y = -row. Rotations are the same matrix there, reflections are not.
        turned = torch.tensor([[0.0, 1.0], [-1.0, 0.0]]).to(self.identity)
        matrices = turned.T @ self.matrix_representation(elements) @ turned
        moved = torch.einsum("gij,jyx->gyxi", matrices, batch_x)
        return moved.roll(shifts=1, dims=-1)

    def left_action_on_H(self, batch_h: Tensor, batch_h_prime: Tensor) -> Tensor:
        """The products h h', [h, h'] (and the numbers of an element)."""
        return self._at(self._looked_up(self.table.product, self.index(batch_h)[:, None], self.index(batch_h_prime)))

    def normalize_group_elements(self, h: Tensor) -> Tensor:
        """Elements as numbers from -1 to 1, by their place among all elements."""
        return (self.index(h).double() * 2 / max(self.table.order - 1, 1) - 1).to(self.identity)

    def _at(self, index: Tensor) -> Tensor:
        return self.elements()[index]

    def _looked_up(self, table: Tensor, *index: Tensor) -> Tensor:
        return table.to(self.identity.device)[index]


class CyclicGroup(GroupBase):
    """C_n: rotations by multiples of 360 / n degrees, named by their angles in radians.

    Args:
        order: how many rotations, at least 2.

    Source: the handbook, practical 4, section 1.3.

    Raises:
        ValueError: fewer than 2.
    """

    def __init__(self, order: int) -> None:
        if order < 2:
            raise ValueError(f"CyclicGroup needs an order of at least 2: got {order}")
        super().__init__(1, [0.0], cyclic(order))

    def elements(self) -> Tensor:
        """Angles from 0, counter-clockwise, [order]."""
        steps = torch.arange(self.table.order, dtype=torch.float64)
        return (2 * math.pi / self.table.order * steps).to(self.identity)

    def index(self, h: Tensor) -> Tensor:
        """int64, the nearest multiple of 360 / n degrees, whatever full turns the angle holds."""
        return (h.double() * (self.table.order / (2 * math.pi))).round().long() % self.table.order


class DihedralGroup(GroupBase):
    """D_n: n rotations, and each after a reflection in the x axis; an element is (angle, 0 or 1).

    Args:
        order: how many rotations, at least 1.

    Raises:
        ValueError: fewer than 1.
    """

    def __init__(self, order: int) -> None:
        super().__init__(2, [0.0, 0.0], dihedral(order))

    def elements(self) -> Tensor:
        """Angle in radians and whether a reflection comes first, [2 n, 2]: the rotations, then the others."""
        turns = self.table.order // 2
        angles = 2 * math.pi / turns * torch.arange(turns, dtype=torch.float64).repeat(2)
        reflected = torch.arange(2, dtype=torch.float64).repeat_interleave(turns)
        return torch.stack([angles, reflected], 1).to(self.identity)

    def index(self, h: Tensor) -> Tensor:
        """int64, of elements [..., 2]."""
        turns = self.table.order // 2
        turn = (h[..., 0].double() * (turns / (2 * math.pi))).round().long() % turns
        return turn + turns * h[..., 1].round().long()
