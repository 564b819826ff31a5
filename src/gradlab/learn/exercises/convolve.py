"""A convolution by hand.

Write `convolve(images, weight, bias)` for images [batch, in, height, width], weight [out, in, k, k] and bias [out]:
what a convolutional layer of stride 1 without padding computes, [batch, out, height - k + 1, width - k + 1]. Each
output is the sum of products of the kernel and the window below it, plus the bias. The kernel is not flipped.
"""

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: LeNet; cheat-sheet: convolutional layers"
WITHOUT = ("conv2d", "Conv2d", "conv1d", "conv3d", "conv_transpose2d", "convolution")
HINTS = (
    "Loop over the k * k places of the kernel: each adds a shifted part of the image times one weight.",
    "`images[:, :, i : i + rows, j : j + columns]` is the part below weight (i, j); einsum sums over the channels.",
    '`out += torch.einsum("bihw,oi->bohw", part, weight[:, :, i, j])`, and at the end the bias as [out, 1, 1].',
)


def convolve(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Returns [batch, out, height - k + 1, width - k + 1].

    Args:
        images: [batch, in, height, width].
        weight: [out, in, k, k].
        bias: [out].
    """
    ### BEGIN SOLUTION
    side = weight.shape[-1]
    rows, columns = images.shape[2] - side + 1, images.shape[3] - side + 1
    out = bias[:, None, None].expand(len(images), -1, rows, columns).clone()
    for i in range(side):
        for j in range(side):
            part = images[:, :, i : i + rows, j : j + columns]
            out += torch.einsum("bihw,oi->bohw", part, weight[:, :, i, j])
    return out
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    side, channels, outputs = draw.size(2, 3), draw.size(1, 3), draw.size(2, 4)
    return {
        "images": draw.normal(draw.size(1, 3), channels, draw.size(3, 6), draw.size(4, 7)),
        "weight": draw.normal(outputs, channels, side, side),
        "bias": draw.normal(outputs),
    }


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the kernel is flipped",
            "Deep learning's convolution does not flip: window times kernel, place by place.",
            lambda x, w, b: functional.conv2d(x, w.flip(2, 3), b),
        ),
        Fault(
            "the kernel is transposed",
            "Rows of the kernel lie over rows of the window.",
            lambda x, w, b: functional.conv2d(x, w.transpose(2, 3), b),
        ),
        Fault("the bias is missing", "Add bias[o] to every place.", lambda x, w, b: functional.conv2d(x, w)),
        Fault(
            "the bias is added once for each weight",
            "Add it once, outside the loops.",
            lambda x, w, b: functional.conv2d(x, w, b * w.shape[-1] ** 2),
        ),
        Fault(
            "the bias is added once for each input channel",
            "Add it once, outside the loops.",
            lambda x, w, b: functional.conv2d(x, w, b * w.shape[1]),
        ),
        Fault(
            "the image is padded with zeros",
            "Without padding the output has height - k + 1 rows.",
            lambda x, w, b: functional.conv2d(x, w, b, padding=w.shape[-1] // 2),
        ),
        Fault(
            "the last row and column are missing",
            "There are height - k + 1 positions.",
            lambda x, w, b: functional.conv2d(x, w, b)[:, :, :-1, :-1],
        ),
        Fault(
            "the windows do not overlap",
            "The kernel moves by one pixel.",
            lambda x, w, b: functional.conv2d(x, w, b, stride=w.shape[-1]),
        ),
        Fault(
            "the products are averaged over the input channels",
            "Sum over the channels.",
            lambda x, w, b: functional.conv2d(x, w / w.shape[1], b),
        ),
        Fault(
            "the products are averaged over the window",
            "Sum over the window.",
            lambda x, w, b: functional.conv2d(x, w / w.shape[-1] ** 2, b),
        ),
        Fault(
            "only the first input channel is used",
            "Sum over all input channels.",
            lambda x, w, b: functional.conv2d(x[:, :1], w[:, :1], b),
        ),
        Fault(
            "the largest product instead of their sum",
            "A convolution sums; pooling takes the largest.",
            lambda x, w, b: (
                (x.unfold(2, w.shape[-1], 1).unfold(3, w.shape[-1], 1)[:, None] * w[:, :, None, None]).amax((2, 5, 6))
                + b[:, None, None]
            ),
        ),
    ),
)
