"""The handbook's kernel classes, under its names."""

import math

import torch
from torch import Tensor, nn

from gradlab.equivariance.expansion import expanded, over_channels
from gradlab.equivariance.groups import GroupBase
from gradlab.equivariance.interpolated import interpolated


class LiftingKernelBase(nn.Module):
    """The grid on which a kernel on the plane is defined, and the grid as every inverse element moves it.

    `grid_R2` is [2, size, size], `transformed_grid_R2` is [order, size, size, 2] in `grid_sample`'s order.

    Args:
        group: the group H.
        kernel_size: taps along a side.
        in_channels: of the features that the kernel reads.
        out_channels: of the features that it makes.

    Source: the handbook, practical 4, section 2.1.2.
    """

    grid_R2: Tensor
    transformed_grid_R2: Tensor

    def __init__(self, group: GroupBase, kernel_size: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.group, self.kernel_size = group, kernel_size
        self.in_channels, self.out_channels = in_channels, out_channels
        axis = torch.linspace(-1, 1, kernel_size)
        self.register_buffer("grid_R2", torch.stack(torch.meshgrid(axis, axis, indexing="ij")))
        self.register_buffer("transformed_grid_R2", self.create_transformed_grid_R2())

    def create_transformed_grid_R2(self) -> Tensor:
        """Where a function on the plane is read after each element acted on it: at h^-1 x."""
        return self.group.left_action_on_R2(self.group.inverse(self.group.elements()), self.grid_R2)

    def sample(self) -> Tensor:
        """The kernel moved by every element, [out_channels, order, in_channels, size, size]."""
        raise NotImplementedError(f"{type(self).__name__} must make its kernel: write sample")


class InterpolativeLiftingKernel(LiftingKernelBase):
    """Weights on the grid, [out_channels, in_channels, size, size]; bilinear interpolation where elements leave it.

    Args: as `LiftingKernelBase`.

    Source: the handbook, practical 4, section 2.1.2.
    Differs from the handbook: elements that keep the grid move the taps as integers.
    """

    def __init__(self, group: GroupBase, kernel_size: int, in_channels: int, out_channels: int) -> None:
        super().__init__(group, kernel_size, in_channels, out_channels)
        self.weight = nn.Parameter(torch.zeros(out_channels, in_channels, kernel_size, kernel_size))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self._family = interpolated(disc=False)(group.table, kernel_size)

    def sample(self) -> Tensor:
        """The kernel moved by every element, [out_channels, order, in_channels, size, size]."""
        index = over_channels(self._family.gather(), self._family, self.in_channels, 1).to(self.weight.device)
        assert self._family.resampling is not None
        shape = (self.group.table.order, self.in_channels, self.kernel_size, self.kernel_size)
        return expanded(self.weight.flatten(2), self._family.resampling.to(self.weight), index, shape)


class GroupKernelBase(LiftingKernelBase):
    """The grid on which a kernel on the plane and the group is defined, and as every inverse element moves it.

    `transformed_grid_R2xH` is [order, order, size, size, 3]: for each acting element and each element of the group, the
    place in the plane in `grid_sample`'s order, then the moved element as a number from -1 to 1.

    Args: as `LiftingKernelBase`.

    Source: the handbook, practical 4, section 2.2.2.
    """

    grid_H: Tensor
    transformed_grid_R2xH: Tensor

    def __init__(self, group: GroupBase, kernel_size: int, in_channels: int, out_channels: int) -> None:
        super().__init__(group, kernel_size, in_channels, out_channels)
        self.register_buffer("grid_H", group.elements())
        self.register_buffer("transformed_grid_R2xH", self.create_transformed_grid_R2xH())

    def create_transformed_grid_R2xH(self) -> Tensor:
        """Where a function on the plane and the group is read after each element acted on it: at (h^-1 x, h^-1 h')."""
        moved = self.group.left_action_on_H(self.group.inverse(self.grid_H), self.grid_H)
        on_group = self.group.normalize_group_elements(moved)[:, :, None, None, None]
        order, size = self.group.table.order, self.kernel_size
        on_plane = self.transformed_grid_R2[:, None]
        sizes = (order, order, size, size, -1)
        return torch.cat([on_plane.expand(sizes), on_group.expand(sizes)], -1)


class InterpolativeGroupKernel(GroupKernelBase):
    """Weights [out_channels, in_channels, order, size, size]; bilinear interpolation in the plane, none on the group.

    Args: as `LiftingKernelBase`.

    Source: the handbook, practical 4, section 2.2.2.
    Differs from the handbook: the group axis is moved as integers. Interpolating it from rounded angles zeroes slices
    of the kernel for 50 of the orders from 2 to 64.
    """

    def __init__(self, group: GroupBase, kernel_size: int, in_channels: int, out_channels: int) -> None:
        super().__init__(group, kernel_size, in_channels, out_channels)
        order = group.table.order
        self.weight = nn.Parameter(torch.zeros(out_channels, in_channels, order, kernel_size, kernel_size))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self._family = interpolated(disc=False)(group.table, kernel_size)

    def sample(self) -> Tensor:
        """The kernel moved by every element, [out_channels, order, in_channels, order, size, size]."""
        order = self.group.table.order
        gather = self._family.gather(self.group.table.shifts, order)
        index = over_channels(gather, self._family, self.in_channels, order).to(self.weight.device)
        assert self._family.resampling is not None
        shape = (order, self.in_channels, order, self.kernel_size, self.kernel_size)
        holes = bool((gather < 0).any())
        return expanded(self.weight.flatten(3), self._family.resampling.to(self.weight), index, shape, holes=holes)
