"""The kernels of a group convolution.

A group convolution's kernel also extends over the group of right angles. Write `group_kernels(weight)` for weight
[out, in, 4, k, k], whose third axis counts input elements g. The result is [out, 4, in, 4, k, k]: for output element h
and input element g it holds the weight of element h^-1 g, turned counter-clockwise by h right angles. (So the kernels
twist and shift: h^-1 g is element (g - h) mod 4.)
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: GroupKernelBase's grids over R2 and H, InterpolativeGroupKernel"
HINTS = (
    "For each h: turn the last two axes by h, and shift the input elements by h.",
    "Entry g of the result takes entry g - h of the weight: `torch.roll(weight, h, dims=2)`.",
    "`torch.stack([torch.rot90(weight, h, (-2, -1)).roll(h, dims=2) for h in range(4)], dim=1)`.",
)


def group_kernels(weight: Tensor) -> Tensor:
    """Returns the kernels [out, 4, in, 4, k, k] of weight [out, in, 4, k, k]."""
    ### BEGIN SOLUTION
    return torch.stack([torch.rot90(weight, h, (-2, -1)).roll(h, dims=2) for h in range(4)], dim=1)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    side = draw.size(2, 3)
    channels = 4 if draw.case == 2 else draw.size(1, 3)
    return {"weight": draw.normal(draw.size(1, 3), channels, 4, side, side)}


def _kernels(weight: Tensor, turn: int = 1, shift: int = 1, axis: int = 1, over: int = 2) -> Tensor:
    return torch.stack([torch.rot90(weight, turn * h, (-2, -1)).roll(shift * h, over) for h in range(4)], axis)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the input elements are not shifted", "Entry g takes the weight of h^-1 g.", lambda w: _kernels(w, shift=0)
        ),
        Fault(
            "the input elements are shifted backwards",
            "h^-1 g is (g - h) mod 4, not (g + h) mod 4.",
            lambda w: _kernels(w, shift=-1),
        ),
        Fault("the kernels are not turned", "The last two axes turn by h right angles.", lambda w: _kernels(w, turn=0)),
        Fault(
            "the kernels turn clockwise",
            "Counter-clockwise: `torch.rot90` with positive h.",
            lambda w: _kernels(w, turn=-1),
        ),
        Fault(
            "turned and shifted backwards",
            "Turn counter-clockwise and take entry g - h.",
            lambda w: _kernels(w, turn=-1, shift=-1),
        ),
        Fault("the kernels are copies", "They twist and shift with h.", lambda w: _kernels(w, 0, 0)),
        Fault("the output elements come first", "[out, 4, in, 4, k, k].", lambda w: _kernels(w, axis=0)),
        Fault(
            "the output elements stand beside the input elements",
            "[out, 4, in, 4, k, k].",
            lambda w: _kernels(w, axis=2),
        ),
        Fault("the input channels are shifted", "Shift axis 2, the input elements.", lambda w: _kernels(w, over=1)),
        Fault("the input elements are reversed", "g - h, not h - g.", lambda w: _kernels(w.flip(2).roll(1, 2))),
        Fault(
            "input and output elements are swapped",
            "Axis 1 counts output elements, axis 3 input elements.",
            lambda w: _kernels(w).transpose(1, 3),
        ),
    ),
)
