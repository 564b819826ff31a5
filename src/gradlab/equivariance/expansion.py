"""From the weights of a layer to the kernel of a plain convolution."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.nn import functional as F

from gradlab.equivariance.agreement import agreement_basis
from gradlab.equivariance.finite_group import FiniteGroup
from gradlab.equivariance.groups import GroupBase
from gradlab.equivariance.kernel_family import Family, KernelFamily, exact_taps
from gradlab.equivariance.response import response
from gradlab.equivariance.siren import Siren
from gradlab.equivariance.taps import grid_preserving

RELU_GAIN = 2.0


def default_family(group: FiniteGroup, size: int) -> KernelFamily:
    """Exact taps where the group maps the grid onto itself, else the agreement basis with a tolerance of 0.04.

    For kernels of 3 taps the tolerance is 0.065: within 0.04 there are only a blob and its two slopes.
    """
    exact = len(grid_preserving(group, size)) == group.order
    return exact_taps(group, size) if exact else agreement_basis(0.04 if size > 3 else 0.065)(group, size)


def expanded(
    weight: Tensor, resampling: Tensor | None, index: Tensor, shape: tuple[int, ...], *, holes: bool = False
) -> Tensor:
    """The moved copies of every kernel, [out_channels, order, in_channels, (order,) size, size].

    Args:
        weight: [out_channels, in_channels, (reach,) dimensions]; without the group axis where the resampling has it.
        resampling: [representatives, (reach,) taps, dimensions], or None where the dimensions are the taps.
        index: as `KernelFamily.gather` gives it, spread over the input channels by `over_channels`.
        shape: order, in_channels, (order,) size and size.
        holes: whether some numbers are zero because the kernel does not reach them.
    """
    if resampling is None:
        taps = weight
    elif resampling.ndim == 4:
        taps = torch.einsum("oid,rhtd->oihrt", weight, resampling)
    else:
        # Representatives inside the group axis: the product comes out in the order of the index, with no copy.
        taps = F.linear(weight, resampling.flatten(0, 1))
    numbers = F.pad(taps.flatten(1), (0, 1)) if holes else taps.flatten(1)
    return numbers.index_select(1, index).view(len(weight), *shape)


def over_channels(gather: Tensor, family: KernelFamily, in_channels: int, reach: int) -> Tensor:
    """The gather of one pair of channels as that of all input channels of an output channel, flat.

    Copies then come out in the order in which a convolution reads them, with no further copy. What the kernel does not
    reach is read one place behind all numbers.

    Args:
        gather: as `KernelFamily.gather` gives it.
        family: of the kernels.
        in_channels: how many.
        reach: relative elements that the kernel covers; 1 for kernels on the plane alone.
    """
    numbers = family.representatives * reach * family.size**2
    first = numbers * torch.arange(in_channels).view(1, -1, *([1] * (gather.ndim - 1)))
    gather = gather.unsqueeze(1)
    return torch.where(gather < 0, numbers * in_channels, gather + first).flatten()


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
    basis: nn.Module | None
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
        self.basis = None if self.family.learned is None else self.family.learned(on_group)
        middle = (group.table.reach,) if on_group and self.basis is None else ()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *middle, self.family.dimensions))
        gather = self._gather()
        self.holes = bool((gather < 0).any())
        index = over_channels(gather, self.family, in_channels, group.table.reach if on_group else 1)
        self.register_buffer("index", index, persistent=False)
        exact = self.family.resampling
        self.register_buffer("resampling", None if exact is None else exact.to(self.weight), persistent=False)
        self._kept: tuple[list[Tensor], Tensor] | None = None
        self.reset_parameters()

    def reset_parameters(self, gain: float = RELU_GAIN) -> None:
        """Draws weights for which signals of mean square 1, as `response` has them, give responses of `gain`.

        Args:
            gain: 2 where a rectifier follows (He et al. 2015).
        """
        if isinstance(self.basis, Siren):
            self.basis.reset_parameters()
        offsets = self.table.offsets if self.on_group else None
        strength = response(self.family, self._resampling(), offsets, self.table.reach)
        nn.init.normal_(self.weight, std=math.sqrt(gain / (self.in_channels * strength)))

    def forward(self) -> Tensor:
        """Returns [out_channels, order, in_channels, (order,) size, size]: at [o, h] the kernel of o moved by h."""
        transient = self.training or torch.is_grad_enabled() or torch.compiler.is_compiling()
        transient = transient or torch.is_autocast_enabled("cpu")  # copies of another precision
        if transient or is_functorch_wrapped_tensor(self.weight) or self.weight.device.type != "cpu":
            return self._expanded()
        # A tensor's version counter would be cheaper, but fused optimisers and writes through `.data` do not raise it.
        parameters = list(self.parameters())
        if self._kept is None or not all(map(torch.equal, self._kept[0], parameters)):
            self._kept = ([parameter.clone() for parameter in parameters], self._expanded())
        return self._kept[1]

    sample = forward

    def _expanded(self) -> Tensor:
        middle = (self.table.order,) if self.on_group else ()
        shape = (self.table.order, self.in_channels, *middle, self.kernel_size, self.kernel_size)
        return expanded(self.weight, self._resampling(), self.index, shape, holes=self.holes)

    def _resampling(self) -> Tensor | None:
        return self.resampling if self.basis is None else self.basis()

    def _gather(self) -> Tensor:
        return self.family.gather(self.table.offsets, self.table.reach) if self.on_group else self.family.gather()

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
