"""How a group moves the taps of a square kernel, or the pixels of a square image."""

import torch
from torch import Tensor

from gradlab.equivariance.finite_group import FiniteGroup

ON_GRID = 1e-9


def tap_points(size: int) -> Tensor:
    """Centres of the taps as (x, y), y upwards, the kernel's centre at the origin: float64 [size * size, 2].

    The order is that of memory: row by row from the top, each from left to right.
    """
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


def tap_permutations(group: FiniteGroup, size: int) -> Tensor:
    """For each element, which tap is read at each tap after the element acted; int64 [order, size * size].

    The transformed kernel at x is the kernel at g^-1 x, so `kernel.flatten()[permutation[g]]` is it. Elements that move
    taps off the grid have -1 everywhere.
    """
    read = group.pulled(tap_points(size))
    column, row = read[..., 0] + (size - 1) / 2, (size - 1) / 2 - read[..., 1]
    off = torch.maximum((column - column.round()).abs(), (row - row.round()).abs()).amax(1)
    beyond = torch.maximum((column - (size - 1) / 2).abs(), (row - (size - 1) / 2).abs()).amax(1) > size / 2
    index = (row.round() * size + column.round()).long()
    return torch.where((off < ON_GRID).unsqueeze(1) & ~beyond.unsqueeze(1), index, -1)


def grid_preserving(group: FiniteGroup, size: int) -> Tensor:
    """Indices of the elements that map the grid of taps onto itself, the identity first."""
    kept = (tap_permutations(group, size)[:, 0] >= 0).nonzero().flatten()
    return torch.cat([kept[kept == group.identity], kept[kept != group.identity]])


def transformed(group: FiniteGroup, element: int, features: Tensor, *, on_group: bool) -> Tensor:
    """Features after a group element acted on them: L_g f, exactly, by moving pixels.

    Args:
        group: acts on the plane, and on itself from the left.
        element: index of g, one that preserves the grid.
        features: [..., height, width], square; with the group axis in front of them where `on_group`.
        on_group: whether the features are a function on the plane and the group: (L_g f)(x, h) = f(g^-1 x, g^-1 h).

    Raises:
        ValueError: the features are not square, or the element moves pixels off the grid.

    Source: the handbook, practical 4, sections 1.2 and 2.2.
    """
    *_, height, width = features.shape
    if height != width:
        raise ValueError(f"only square features are turned by moving pixels: got {height} x {width}")
    moved = tap_permutations(group, height)[element]
    if moved[0] < 0:
        raise ValueError(f"element {element} of {group.name} moves pixels off the grid")
    turned = features.flatten(-2)[..., moved.to(features.device)].unflatten(-1, (height, width))
    if not on_group:
        return turned
    return turned.index_select(-3, group.shifts[element].to(features.device))
