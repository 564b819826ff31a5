"""The continuous XOR data.

Write `continuous_xor(bits, noise, std)`, which makes a small data set: `bits` [count, 2] holds zeros and ones (int64),
`noise` [count, 2] holds standard normal numbers. It returns the points, the bits as floating-point numbers plus noise
of standard deviation `std`, [count, 2]; and the labels, 1 where exactly one of the two bits is 1 and 0 elsewhere,
int64 [count]. A label belongs to the clean bits.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practicals, introduction: the XOR data set"
HINTS = (
    "Two bits differ exactly when their sum is 1.",
    "Compare before the noise is added; a comparison gives truth values, and `.long()` makes whole numbers of them.",
    "`labels = (bits.sum(dim=1) == 1).long()`, `points = bits.float() + std * noise`.",
)


def continuous_xor(bits: Tensor, noise: Tensor, std: float) -> tuple[Tensor, Tensor]:
    """Returns points [count, 2] (float32) and labels [count] (int64).

    Args:
        bits: zeros and ones [count, 2] (int64).
        noise: standard normal numbers [count, 2].
        std: standard deviation of the noise.
    """
    ### BEGIN SOLUTION
    labels = (bits.sum(dim=1) == 1).long()
    return bits.float() + std * noise, labels
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    count = draw.size(4, 9)
    bits = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]).repeat(3, 1)[:count]
    return {"bits": bits, "noise": draw.normal(count, 2), "std": draw.choice((0.1, 0.5, 0.8))}


CHECK = Check(
    case=_case,
    faults=(
        Fault("AND instead of XOR", "The label is 0 where both bits are 1.", lambda b, n, s: (b + s * n, b.prod(1))),
        Fault("OR instead of XOR", "The label is 0 where both bits are 1.", lambda b, n, s: (b + s * n, b.amax(1))),
        Fault(
            "equal instead of different bits",
            "Label 1 means that the bits differ.",
            lambda b, n, s: (b + s * n, (b[:, 0] == b[:, 1]).long()),
        ),
        Fault(
            "the labels come from the noisy points",
            "Compare the clean bits, before the noise.",
            lambda b, n, s: (b + s * n, ((b + s * n).round().sum(1) == 1).long()),
        ),
        Fault(
            "the labels are the sums of the bits",
            "Two ones make label 0, not 2.",
            lambda b, n, s: (b + s * n, b.sum(1)),
        ),
        Fault(
            "the noise is not scaled by std",
            "Standard normal noise times std has that standard deviation.",
            lambda b, n, s: (b + n, b.sum(1) % 2),
        ),
        Fault(
            "the noise is scaled by the variance",
            "std is the standard deviation: multiply by it, not by its square.",
            lambda b, n, s: (b + s * s * n, b.sum(1) % 2),
        ),
        Fault("there is no noise", "Points are bits plus noise.", lambda b, n, s: (b.float(), b.sum(1) % 2)),
        Fault(
            "the labels are truth values",
            "Whole numbers are asked for: `.long()`.",
            lambda b, n, s: (b + s * n, b[:, 0] != b[:, 1]),
        ),
        Fault(
            "the labels are floating-point numbers",
            "Whole numbers are asked for: `.long()`.",
            lambda b, n, s: (b + s * n, (b.sum(1) % 2).float()),
        ),
        Fault(
            "the labels keep an axis",
            "One label a point: [count].",
            lambda b, n, s: (b + s * n, b.sum(1, keepdim=True) % 2),
        ),
        Fault(
            "the points are rounded to whole numbers",
            "Convert to float before the noise is added.",
            lambda b, n, s: ((b + s * n).long(), b.sum(1) % 2),
        ),
    ),
)
