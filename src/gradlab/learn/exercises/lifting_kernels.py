"""Turn a kernel by all right angles.

The group of right angles keeps the pixel grid, so its kernels need no interpolation. Write `lifting_kernels(weight)`
for weight [out, in, k, k]: the kernels [out, 4, in, k, k], where entry h is the weight turned counter-clockwise by h
right angles (`torch.rot90`), and entry 0 the weight itself.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: InterpolativeLiftingKernel, repeat and sample the weights"
HINTS = (
    "Only the last two axes are turned; output and input channels stay where they are.",
    "`torch.rot90(weight, h, dims=(-2, -1))` for each h; stack puts them beside each other.",
    "`torch.stack([torch.rot90(weight, h, (-2, -1)) for h in range(4)], dim=1)`.",
)


def lifting_kernels(weight: Tensor) -> Tensor:
    """Returns the turned kernels [out, 4, in, k, k] of weight [out, in, k, k]."""
    ### BEGIN SOLUTION
    return torch.stack([torch.rot90(weight, h, (-2, -1)) for h in range(4)], dim=1)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    side = draw.size(2, 3)
    channels = 4 if draw.case == 2 else draw.size(1, 3)
    return {"weight": draw.normal(draw.size(2, 4), channels, side, side)}


def _turned(weight: Tensor, step: int = 1, axis: int = 1, first: int = 0) -> Tensor:
    return torch.stack([torch.rot90(weight, step * (h + first), (-2, -1)) for h in range(4)], axis)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the kernels turn clockwise", "Counter-clockwise: `torch.rot90` with positive h.", lambda w: _turned(w, -1)
        ),
        Fault("the group axis comes first", "[out, 4, in, k, k].", lambda w: _turned(w, axis=0)),
        Fault("the group axis comes after the input channels", "[out, 4, in, k, k].", lambda w: _turned(w, axis=2)),
        Fault("the kernels are copies and not turned", "Entry h is turned by h right angles.", lambda w: _turned(w, 0)),
        Fault("entry 0 is turned already", "Entry 0 is the weight itself.", lambda w: _turned(w, first=1)),
        Fault("half turns instead of right angles", "Entry h is turned by h right angles.", lambda w: _turned(w, 2)),
        Fault(
            "there are mirror images among the kernels",
            "A transpose mirrors: turn with rot90.",
            lambda w: torch.stack([w, w.mT, w.flip(-1, -2), w.mT.flip(-1, -2)], 1),
        ),
        Fault(
            "the kernels are flipped instead of turned",
            "Flips mirror: turn with rot90.",
            lambda w: torch.stack([w, w.flip(-1), w.flip(-2), w.flip(-1, -2)], 1),
        ),
        Fault(
            "the group axis is folded into the output channels",
            "[out, 4, in, k, k].",
            lambda w: _turned(w).flatten(0, 1),
        ),
        Fault(
            "the first two axes are turned",
            "Turn the last two axes, (-2, -1).",
            lambda w: torch.stack([w if h % 2 == 0 else w.flip(0) for h in range(4)], 1),
        ),
        Fault(
            "each entry is turned from the one before by its number",
            "Turn the weight itself by h, not the last kernel.",
            lambda w: torch.stack([torch.rot90(w, h * (h + 1) // 2, (-2, -1)) for h in range(4)], 1),
        ),
    ),
)
