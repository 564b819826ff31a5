"""Kernel families: which kernels a layer can have, and how they look after each group element acted on them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gradlab.equivariance.finite_group import FiniteGroup, cosets
from gradlab.equivariance.taps import grid_preserving, tap_permutations


@dataclass(frozen=True, slots=True, eq=False)
class KernelFamily:
    """A linear space of kernels that is carried along by a group.

    A group element h is written s r with s preserving the grid of taps and r one of a few representatives. The kernel
    moved by r is resampled: a fixed matrix times the weights. The kernel moved by h is that, its taps permuted by s:
    exact, whatever the resampling does.

    Args:
        size: taps along a side.
        dimensions: numbers that a kernel has: size * size where every kernel is possible.
        resampling: float64 [representatives, size * size, dimensions], the kernels of the dimensions as moved by each
            representative; None where the weights are the taps themselves.
        representative: int64 [order], which of them an element has.
        permutation: int64 [order, size * size], what its other factor does to the taps.
        error: the predicted relative disagreement, as a standard deviation, of the responses to a pattern and to the
            turned pattern; 0 where the family is exact.
        learned: makes, for kernels on the group or on the plane alone, the module that computes the resampling from
            parameters of its own, [representatives, (reach,) size * size, dimensions]; None where it is fixed.
    """

    size: int
    dimensions: int
    resampling: Tensor | None
    representative: Tensor
    permutation: Tensor
    error: float
    learned: Callable[[bool], nn.Module] | None = None

    @property
    def representatives(self) -> int:
        """How many elements have a resampling of their own."""
        return int(self.representative.max()) + 1

    def gather(self, offsets: Tensor | None = None, reach: int = 1) -> Tensor:
        """Where each number of the expanded kernel stands among the resampled weights of a pair of channels.

        Args:
            offsets: int64 [order, order], the place of h^-1 h' along the kernel's group axis at [h, h'], -1 where the
                kernel does not reach it; None for a kernel on the plane alone.
            reach: the length of that axis.

        Returns:
            int64 [order, size * size] or [order, order, size * size], into the flat [representatives, size * size] or
            [reach, representatives, size * size]; negative where there is none.
        """
        taps = self.size**2
        if offsets is None:
            return self.representative[:, None] * taps + self.permutation
        count = self.representatives
        inner = torch.where(offsets < 0, -count * reach, offsets * count + self.representative[:, None])
        return inner[:, :, None] * taps + self.permutation[:, None]


Family = Callable[[FiniteGroup, int], KernelFamily]
"""Makes the family of a group and a kernel size."""


def decomposed(group: FiniteGroup, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Every element as s r: the representatives' indices, and for each element its representative and permutation."""
    kept = grid_preserving(group, size)
    rows = cosets(group, kept)
    representative = torch.empty(group.order, dtype=torch.int64)
    factor = torch.empty(group.order, dtype=torch.int64)
    for place, row in enumerate(rows):
        representative[row], factor[row] = place, kept
    return rows[:, 0], representative, tap_permutations(group, size)[factor]


def exact_taps(group: FiniteGroup, size: int) -> KernelFamily:
    """Every kernel, its taps moved as integers; for groups that map the grid onto itself.

    Raises:
        ValueError: an element moves taps off the grid.
    """
    representatives, representative, permutation = decomposed(group, size)
    if len(representatives) > 1:
        raise ValueError(
            f"{group.name} moves taps of a {size} x {size} kernel off the grid: "
            "exact taps are for subgroups of D4; use the agreement basis"
        )
    return KernelFamily(size, size**2, None, representative, permutation, 0.0)
