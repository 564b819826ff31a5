"""From the weights of a layer to the kernel of a plain convolution."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor

from gradlab.equivariance.agreement import agreement_basis
from gradlab.equivariance.finite_group import FiniteGroup
from gradlab.equivariance.groups import GroupBase
from gradlab.equivariance.kernel_family import Family, KernelFamily, exact_taps
from gradlab.equivariance.taps import grid_preserving

RELU_GAIN = 2.0


def default_family(group: FiniteGroup, size: int) -> KernelFamily:
    """Exact taps where the group maps the grid onto itself, else the agreement basis with a tolerance of 0.04."""
    exact = len(grid_preserving(group, size)) == group.order
    return exact_taps(group, size) if exact else agreement_basis()(group, size)


def expanded(weight: Tensor, resampling: Tensor | None, index: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The moved copies of every kernel, [out_channels, order, in_channels, (order,) size, size].

    Args:
        weight: [out_channels, in_channels, (order,) dimensions].
        resampling: [representatives, taps, dimensions], or None where the dimensions are the taps.
        index: as `KernelFamily.gather` gives it, spread over the input channels by `over_channels`.
        shape: order, in_channels, (order,) size and size.
    """
    # [o, i, (h',) d] -> [o, i, r, (h',) taps]
    taps = weight if resampling is None else torch.einsum("oi...d,rtd->oir...t", weight, resampling)
    return taps.flatten(1).index_select(1, index).view(len(weight), *shape)


def over_channels(gather: Tensor, family: KernelFamily, in_channels: int, order: int) -> Tensor:
    """The gather of one pair of channels as that of all input channels of an output channel, flat.

    Copies then come out in the order in which a convolution reads them, with no further copy.

    Args:
        gather: as `KernelFamily.gather` gives it.
        family: of the kernels.
        in_channels: how many.
        order: elements of the group that the kernel reads; 1 for kernels on the plane alone.
    """
    representatives = 1 if family.resampling is None else len(family.resampling)
    numbers = representatives * order * family.size**2
    first = numbers * torch.arange(in_channels).view(1, -1, *([1] * (gather.ndim - 1)))
    return (gather.unsqueeze(1) + first).flatten()


class ExpandedKernel(nn.Module):
    """A kernel and its copies under every element of a group, from one set of weights.

    On a CPU, in evaluation without gradients, the copies are kept until the weights change.

    Args:
        group: acts on the plane, and on itself.
        kernel_size: taps along a side.
        in_channels: of the features that the kernel reads.
        out_channels: of the features that it makes.
        on_group: whether it reads functions on the group, or on the plane alone.
        family: which kernels are possible; `default_family` where None.
    """

    weight: nn.Parameter
    resampling: Tensor | None
    index: Tensor

    def __init__(
        self,
        group: GroupBase,
        kernel_size: int,
        in_channels: int,
        out_channels: int,
        *,
        on_group: bool,
        family: Family | None = None,
    ) -> None:
        super().__init__()
        self.table, self.kernel_size = group.table, kernel_size
        self.in_channels, self.out_channels, self.on_group = in_channels, out_channels, on_group
        self.family = (family or default_family)(group.table, kernel_size)
        middle = (group.table.order,) if on_group else ()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *middle, self.family.dimensions))
        gather = self.family.gather(group.table.shifts if on_group else None)
        index = over_channels(gather, self.family, in_channels, group.table.order if on_group else 1)
        self.register_buffer("index", index, persistent=False)
        exact = self.family.resampling
        self.register_buffer("resampling", None if exact is None else exact.to(self.weight), persistent=False)
        self._kept: tuple[Tensor, Tensor] | None = None
        self.reset_parameters()

    def reset_parameters(self, gain: float = RELU_GAIN) -> None:
        """Draws weights for which white noise of unit variance gives responses with the variance `gain`.

        Args:
            gain: 2 where a rectifier follows (He et al. 2015).
        """
        fan_in = self.in_channels * (self.table.order if self.on_group else 1)
        nn.init.normal_(self.weight, std=math.sqrt(gain / (fan_in * self.family.energy())))

    def forward(self) -> Tensor:
        """Returns [out_channels, order, in_channels, (order,) size, size]: at [o, h] the kernel of o moved by h."""
        transient = self.training or torch.is_grad_enabled() or torch.compiler.is_compiling()
        transient = transient or torch.is_autocast_enabled("cpu")  # copies of another precision
        if transient or is_functorch_wrapped_tensor(self.weight) or self.weight.device.type != "cpu":
            return self._expanded()
        # A tensor's version counter would be cheaper, but fused optimisers and writes through `.data` do not raise it.
        if self._kept is None or not torch.equal(self._kept[0], self.weight):
            self._kept = (self.weight.clone(), self._expanded())
        return self._kept[1]

    sample = forward

    def _expanded(self) -> Tensor:
        middle = (self.table.order,) if self.on_group else ()
        shape = (self.table.order, self.in_channels, *middle, self.kernel_size, self.kernel_size)
        return expanded(self.weight, self.resampling, self.index, shape)

    def _apply(self, fn: Any, recurse: bool = True) -> "ExpandedKernel":
        """As for any module, but the resampling is taken anew from float64: a change of precision is never lost."""
        super()._apply(fn, recurse)
        self._kept = None
        if self.resampling is not None and self.family.resampling is not None:
            self.resampling = self.family.resampling.to(self.weight)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the copies that are kept."""
        return {**self.__dict__, "_kept": None}

    def extra_repr(self) -> str:
        """The sizes, the number of dimensions and the predicted error."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, group={self.table.name}, "
            f"dimensions={self.family.dimensions}, error={self.family.error:.3g}"
        )
