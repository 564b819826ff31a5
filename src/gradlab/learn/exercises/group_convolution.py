"""A group convolution.

Write `group_convolution(x, kernels)` for feature maps x [batch, in, g, height, width] over a group of g elements and
kernels [out, h, in, g, k, k]: for each output channel and element the sum over input channels, input elements and the
window. The result is [batch, out, h, height - k + 1, width - k + 1]. A sum over elements is a sum over channels, so
one `conv2d` does it.
"""

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: GroupConvolution.forward"
HINTS = (
    "Fold the input elements into the input channels, in the feature maps and in the kernels.",
    "Fold the output elements into the output channels, and unfold them in the result.",
    "`functional.conv2d(x.flatten(1, 2), kernels.flatten(2, 3).flatten(0, 1)).unflatten(1, kernels.shape[:2])`.",
)


def group_convolution(x: Tensor, kernels: Tensor) -> Tensor:
    """Returns [batch, out, h, height - k + 1, width - k + 1].

    Args:
        x: [batch, in, g, height, width].
        kernels: [out, h, in, g, k, k].
    """
    ### BEGIN SOLUTION
    folded = kernels.flatten(2, 3).flatten(0, 1)
    return functional.conv2d(x.flatten(1, 2), folded).unflatten(1, kernels.shape[:2])
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    elements, side, channels = draw.choice((4, 3)), draw.size(2, 3), draw.size(2, 3)
    outputs = elements if draw.case == 2 else draw.size(2, 3)
    return {
        "x": draw.normal(draw.size(1, 3), channels, elements, draw.size(3, 4), draw.size(4, 5)),
        "kernels": draw.normal(outputs, elements, channels, elements, side, side),
    }


def _convolve(x: Tensor, kernels: Tensor) -> Tensor:
    folded = kernels.flatten(2, 3).flatten(0, 1)
    return functional.conv2d(x.flatten(1, 2), folded).unflatten(1, kernels.shape[:2])


def _swapped_sides(x: Tensor, kernels: Tensor) -> Tensor:
    out = _convolve(x, kernels)
    return out.reshape(*out.shape[:3], out.shape[4], out.shape[3])


def _convolve_same(x: Tensor, kernels: Tensor) -> Tensor:
    elements = range(x.shape[2])
    return torch.stack([functional.conv2d(x[:, :, h], kernels[:, h, :, h]) for h in elements], dim=2)


def _misfolded(x: Tensor, kernels: Tensor) -> Tensor:
    out = _convolve(x, kernels)
    return out.flatten(1, 2).reshape(len(x), kernels.shape[1], kernels.shape[0], *out.shape[3:])


CHECK = Check(
    case=_case,
    absolute=1e-4,
    faults=(
        Fault(
            "the maps are folded as (element, channel)",
            "The kernels are folded as (channel, element): do the same.",
            lambda x, k: _convolve(x.transpose(1, 2).reshape_as(x.flatten(1, 2)).view_as(x), k),
        ),
        Fault(
            "the kernels are folded as (element, channel)",
            "The maps are folded as (channel, element): do the same.",
            lambda x, k: _convolve(x, k.transpose(2, 3).reshape(k.shape)),
        ),
        Fault(
            "input and output elements of the kernels are swapped",
            "Axis 1 is h, axis 3 is g.",
            lambda x, k: _convolve(x, k.transpose(1, 3)),
        ),
        Fault(
            "the output elements are still folded",
            "Unfold the channels to [out, h].",
            lambda x, k: _convolve(x, k).flatten(1, 2),
        ),
        Fault(
            "channels and output elements are swapped",
            "[batch, out, h, ...].",
            lambda x, k: _convolve(x, k).transpose(1, 2),
        ),
        Fault("height and width are swapped", "The last axis is the width.", _swapped_sides),
        Fault("only the input element of the same number is used", "Sum over all input elements.", _convolve_same),
        Fault(
            "the input elements are summed first",
            "Each has its own kernel: fold, do not sum.",
            lambda x, k: _convolve(x.sum(2, keepdim=True).expand_as(x), k),
        ),
        Fault(
            "the input elements are averaged",
            "Sum over them, do not divide.",
            lambda x, k: _convolve(x, k) / x.shape[2],
        ),
        Fault("the kernels are flipped", "conv2d takes them as they are.", lambda x, k: _convolve(x, k.flip(-1, -2))),
        Fault("the output elements are summed", "They stay apart.", lambda x, k: _convolve(x, k).sum(2)),
        Fault(
            "the channels are unfolded in the wrong order", "They were folded as (out, h): unfold them so.", _misfolded
        ),
    ),
)
