"""Pooling and normalisation that keep features equivariant, or make them invariant."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.equivariance.finite_group import FiniteGroup, cosets, subgroup_indices
from gradlab.equivariance.groups import GroupBase

Kind = Literal["max", "mean"]


class GroupBatchNorm(nn.BatchNorm3d):
    """Batch norm of [batch, channels, order, height, width]: one mean and deviation a channel, shared by the group."""


class GroupPooling(nn.Module):
    """The largest or the mean value over the group: [batch, channels, order, ...] to [batch, channels, ...].

    The result turns with the image as a plain feature map does.

    Args:
        kind: "max" or "mean".
    """

    def __init__(self, kind: Kind = "max") -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """Returns the features without their group axis."""
        return x.amax(2) if self.kind == "max" else x.mean(2)


class CosetPooling(nn.Module):
    """The largest or the mean value over every coset g K of a subgroup K: a function on the quotient H / K.

    Args:
        group: the group H of the features.
        part: the subgroup K.
        kind: "max" or "mean".

    Source: Cohen and Welling 2016, section 6.3.

    Raises:
        ValueError: K is not a subgroup of H.
    """

    members: Tensor

    def __init__(self, group: GroupBase, part: GroupBase, kind: Kind = "max") -> None:
        super().__init__()
        self.kind = kind
        inside = subgroup_indices(group.table, part.table)
        self.register_buffer("members", left_cosets(group.table, inside), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, channels, order / |K|, height, width] of [batch, channels, order, height, width]."""
        parts = x[:, :, self.members]
        return parts.amax(3) if self.kind == "max" else parts.mean(3)


class Restriction(nn.Module):
    """Features on a group as features on a subgroup, every coset a channel of its own.

    [batch, channels, order, height, width] to [batch, channels * order / |K|, |K|, height, width]: what follows needs
    to be equivariant to the subgroup only.

    Args:
        group: the group H of the features.
        part: the subgroup K.

    Source: Weiler and Cesa 2019, "General E(2)-equivariant steerable CNNs", section 2.7.

    Raises:
        ValueError: K is not a subgroup of H.
    """

    members: Tensor

    def __init__(self, group: GroupBase, part: GroupBase) -> None:
        super().__init__()
        inside = subgroup_indices(group.table, part.table)
        self.register_buffer("members", cosets(group.table, inside), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the features of the subgroup."""
        return x[:, :, self.members].flatten(1, 2)


class SpatialPooling(nn.Module):
    """The largest or the mean value of every window of the plane, for each element of the group.

    Args:
        size: height and width of a window, and the step between windows.
        kind: "max" or "mean".

    Raises:
        ValueError: at the call, windows do not tile the sides, which breaks equivariance.
    """

    def __init__(self, size: int, kind: Kind = "max") -> None:
        super().__init__()
        self.size, self.kind = size, kind

    def forward(self, x: Tensor) -> Tensor:
        """Returns [..., height / size, width / size] of [batch, channels, order, height, width]."""
        for side, length in (("height", x.shape[-2]), ("width", x.shape[-1])):
            if length % self.size:
                down = length - length % self.size
                raise ValueError(
                    f"windows of {self.size} do not tile a {side} of {length}, which breaks equivariance: "
                    f"take {down} or {down + self.size}"
                )
        pool = F.max_pool2d if self.kind == "max" else F.avg_pool2d
        return pool(x.flatten(1, 2), self.size).unflatten(1, x.shape[1:3])


def left_cosets(group: FiniteGroup, part: Tensor) -> Tensor:
    """The left cosets g K, int64 [order / |K|, |K|], in the order of their first elements."""
    rows: list[Tensor] = []
    seen: set[int] = set()
    for element in range(group.order):
        if element not in seen:
            rows.append(group.product[element, part])
            seen.update(rows[-1].tolist())
    return torch.stack(rows)
