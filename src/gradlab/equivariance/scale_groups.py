"""Magnifications, and their products with rotations and reflections, in the handbook's protocol."""

import math

import torch
from torch import Tensor

from gradlab.equivariance.groups import GroupBase
from gradlab.equivariance.truncated_group import TruncatedGroup, scale, scaled


class ScaleGroup(GroupBase):
    """Magnifications by 1, base, base^2, ..., named by their factors; see `truncated_group`.

    Products and inverses are those of all powers of the base, whether or not they lie in the range; `index` is -1 for
    those that do not.

    Args:
        scales: how many.
        base: from one to the next, above 1.
        centred: whether as many shrink as magnify; then `scales` is odd.
        depth: how many scales a kernel on the group covers, its own and the next coarser ones; all where None.

    Source: Worrall and Welling 2019, "Deep scale-spaces: equivariance over scale", section 3.

    Raises:
        ValueError: one of them is impossible.
    """

    table: TruncatedGroup

    def __init__(
        self, scales: int, base: float = math.sqrt(2), *, centred: bool = False, depth: int | None = None
    ) -> None:
        super().__init__(1, [1.0], scale(scales, base=base, centred=centred, depth=depth))

    def elements(self) -> Tensor:
        """Factors, ascending, [scales]."""
        return self._factor(self.table.exponents)

    def exponent(self, h: Tensor) -> Tensor:
        """int64, the power of the base that is nearest to each factor."""
        return (h.double().log() / math.log(self.table.base)).round().long()

    def index(self, h: Tensor) -> Tensor:
        """int64, the place in `elements` of each factor, -1 outside the range."""
        place = self.exponent(h) - int(self.table.exponents[0])
        return torch.where((place >= 0) & (place < self.table.order), place, -1)

    def product(self, h: Tensor, h_prime: Tensor) -> Tensor:
        """The product h h', in the range or not, element by element, broadcast."""
        return self._factor(self.exponent(h) + self.exponent(h_prime))

    def inverse(self, h: Tensor) -> Tensor:
        """The inverse of each element, in the range or not."""
        return self._factor(-self.exponent(h))

    def matrix_representation(self, h: Tensor) -> Tensor:
        """What an element does to column vectors of the plane, [..., 2, 2]."""
        factor = self._factor(self.exponent(torch.as_tensor(h)))
        return factor[..., None, None] * torch.eye(2).to(self.identity)

    def left_action_on_H(self, batch_h: Tensor, batch_h_prime: Tensor) -> Tensor:
        """The products h h', in the range or not, [h, h']."""
        return self.product(batch_h[:, None], batch_h_prime)

    def _factor(self, exponent: Tensor) -> Tensor:
        return (self.table.base ** exponent.double()).to(self.identity)


class ProductGroup(GroupBase):
    """Every rotation (and reflection) at every magnification; an element is the first's numbers, then the factor.

    Element `g * scales + i` of the table is the i-th magnification of g: the group axis of a feature map unflattens to
    [order of the first, scales].

    Args:
        first: rotations, and reflections perhaps.
        second: magnifications.

    Raises:
        ValueError: the first has magnifications, too, or the second has none.
    """

    table: TruncatedGroup

    def __init__(self, first: GroupBase, second: ScaleGroup) -> None:
        if isinstance(first.table, TruncatedGroup) or not isinstance(second, ScaleGroup):
            raise ValueError(
                f"a product group is a finite group, then a scale group: got {first.table.name} and {second.table.name}"
            )
        scales = second.table
        table = scaled(first.table, scales.order, base=scales.base, centred=bool(scales.identity), depth=scales.depth)
        super().__init__(first.dimension + 1, [*first.identity.tolist(), 1.0], table)
        self.first, self.second = first, second

    def elements(self) -> Tensor:
        """The first's numbers and the factor, [order, dimension]."""
        turns, factors = self.first.elements(), self.second.elements()
        return self._joined(turns.repeat_interleave(len(factors), 0), factors.repeat(len(turns)))

    def index(self, h: Tensor) -> Tensor:
        """int64, the place in `elements` of each element, -1 outside the range."""
        turn, factor = self._parts(h)
        place = self.second.index(factor)
        return torch.where(place < 0, -1, self.first.index(turn) * self.second.table.order + place)

    def product(self, h: Tensor, h_prime: Tensor) -> Tensor:
        """The product h h', in the range or not, element by element, broadcast."""
        (turn, factor), (turn_prime, factor_prime) = self._parts(h), self._parts(h_prime)
        return self._joined(self.first.product(turn, turn_prime), self.second.product(factor, factor_prime))

    def inverse(self, h: Tensor) -> Tensor:
        """The inverse of each element, in the range or not."""
        turn, factor = self._parts(h)
        return self._joined(self.first.inverse(turn), self.second.inverse(factor))

    def matrix_representation(self, h: Tensor) -> Tensor:
        """What an element does to column vectors of the plane, [..., 2, 2]."""
        turn, factor = self._parts(torch.as_tensor(h))
        return self.first.matrix_representation(turn) @ self.second.matrix_representation(factor)

    def left_action_on_H(self, batch_h: Tensor, batch_h_prime: Tensor) -> Tensor:
        """The products h h', in the range or not, [h, h', dimension]."""
        return self.product(batch_h[:, None], batch_h_prime)

    def _parts(self, h: Tensor) -> tuple[Tensor, Tensor]:
        turn = h[..., 0] if self.first.dimension == 1 else h[..., :-1]
        return turn, h[..., -1]

    def _joined(self, turn: Tensor, factor: Tensor) -> Tensor:
        turn = turn.unsqueeze(-1) if self.first.dimension == 1 else turn
        return torch.cat([turn, factor.unsqueeze(-1)], -1)
