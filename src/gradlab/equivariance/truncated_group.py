"""Magnifications, alone or with a finite group: the tables of a group that has no end, cut off."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradlab.equivariance.finite_group import FiniteGroup, cyclic


@dataclass(frozen=True, slots=True, eq=False)
class TruncatedGroup(FiniteGroup):
    """The elements g m of a finite group and a range of magnifications m, which commute with g.

    Not closed, so not a group: a product, inverse or shift that leaves the range has the index -1. The axioms hold
    wherever every product they name stays in the range. What a convolution reads there counts as zero, so that maps at
    the coarse end of the range lack terms. Element `g * scales + i` is the i-th magnification of g.

    Args:
        compact: the finite group.
        exponents: int64 [scales], consecutive; magnification i is base ** exponents[i].
        base: from one magnification to the next, above 1.
        depth: how many magnifications a kernel on the group covers: its own and the next coarser ones.

    Source: Worrall and Welling 2019, "Deep scale-spaces: equivariance over scale", section 3; Sosnovik, Szmaja and
    Smeulders 2020, "Scale-equivariant steerable networks", section 4.
    """

    compact: FiniteGroup
    exponents: Tensor
    base: float
    depth: int

    @property
    def shifts(self) -> Tensor:
        """int64 [order, order], the index of g^-1 h at [g, h], or -1."""
        identity = int((self.exponents == 0).int().argmax())
        return _joined(self.compact.shifts, _steps(len(self.exponents)) + identity, len(self.exponents))

    @property
    def reach(self) -> int:
        """Relative elements that a kernel on the group covers: those of the finite group, at each step of `depth`."""
        return self.compact.order * self.depth

    @property
    def offsets(self) -> Tensor:
        """int64 [order, order], the place of g^-1 h along a kernel's group axis at [g, h], or -1."""
        return _joined(self.compact.shifts, _steps(len(self.exponents)), self.depth)

    @property
    def relatives(self) -> Tensor:
        """The matrices of the relative elements that a kernel on the group covers, float64 [reach, 2, 2]."""
        return _magnified(self.compact.matrices, self.base, torch.arange(self.depth))

    @property
    def magnifications(self) -> Tensor:
        """How much longer each element makes a line, float64 [order]."""
        return (self.base ** self.exponents.double()).repeat(self.compact.order)


def scaled(
    group: FiniteGroup, scales: int, *, base: float = math.sqrt(2), centred: bool = False, depth: int | None = None
) -> TruncatedGroup:
    """The product of a finite group with the magnifications 1, base, ..., base ** (scales - 1).

    Args:
        group: rotations, and reflections perhaps; `cyclic(1)` for magnifications alone.
        scales: how many magnifications.
        base: from one to the next, above 1.
        centred: whether as many shrink as magnify; then `scales` is odd.
        depth: see `TruncatedGroup`; all where None.

    Raises:
        ValueError: one of them is impossible.
    """
    if scales < 1 or base <= 1:
        raise ValueError(f"a scale group has at least 1 scale, each larger than the last: got {scales} of base {base}")
    if centred and scales % 2 == 0:
        raise ValueError(f"a centred scale group has an odd number of scales, or none is 1: got {scales}")
    depth = scales if depth is None else depth
    if not 1 <= depth <= scales:
        raise ValueError(f"a kernel covers from 1 to all {scales} scales: got a depth of {depth}")
    identity, places = scales // 2 if centred else 0, torch.arange(scales)
    exponents = places - identity
    return TruncatedGroup(
        name=f"S{scales}" if group.order == 1 else f"{group.name}xS{scales}",
        matrices=_magnified(group.matrices, base, exponents),
        product=_joined(group.product, places + exponents[:, None], scales),
        inverse=_joined(group.inverse, identity - exponents, scales),
        identity=group.identity * scales + identity,
        compact=group,
        exponents=exponents,
        base=base,
        depth=depth,
    )


def scale(
    scales: int, *, base: float = math.sqrt(2), centred: bool = False, depth: int | None = None
) -> TruncatedGroup:
    """Magnifications alone; arguments and errors as of `scaled`."""
    return scaled(cyclic(1), scales, base=base, centred=centred, depth=depth)


def _magnified(matrices: Tensor, base: float, exponents: Tensor) -> Tensor:
    return (matrices.unsqueeze(1) * (base ** exponents.double()).view(1, -1, 1, 1)).flatten(0, 1)


def _steps(scales: int) -> Tensor:
    """The steps j - i at [i, j], int64 [scales, scales]."""
    places = torch.arange(scales)
    return places - places[:, None]


def _joined(compact: Tensor, steps: Tensor, count: int) -> Tensor:
    """A table of the finite group ([n] or [n, n]) and one of the scales as one table; -1 outside 0 ... count - 1."""
    steps = torch.where((steps >= 0) & (steps < count), steps, -count * (compact.max() + 1))  # negative in every sum
    if compact.ndim == 1:
        return (compact[:, None] * count + steps).clamp(min=-1).flatten()
    return (compact[:, None, :, None] * count + steps[:, None]).clamp(min=-1).flatten(2).flatten(0, 1)
