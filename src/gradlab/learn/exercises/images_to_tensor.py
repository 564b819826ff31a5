"""From stored images to a batch for a network.

Image files are read as whole numbers from 0 to 255 with the colours last: [batch, height, width, channels].
Layers want floating-point numbers with the channels second. Write `images_to_tensor(pixels)`, which returns
float32 numbers from 0 to 1 of shape [batch, channels, height, width]: 255 becomes 1.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: images as tensors, tensor dimension conventions"
HINTS = (
    "Two steps: bring the axes into another order, and bring the numbers to [0, 1].",
    "`permute` moves axes; `view` and `reshape` keep the numbers in their order and would scramble the image.",
    "`pixels.permute(0, 3, 1, 2)` has the right axes; then `.float() / 255`.",
)


def images_to_tensor(pixels: Tensor) -> Tensor:
    """Returns float32 numbers in [0, 1] of shape [batch, channels, height, width].

    Args:
        pixels: uint8 numbers [batch, height, width, channels].
    """
    ### BEGIN SOLUTION
    return pixels.permute(0, 3, 1, 2).float() / 255
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    shape = (draw.size(1, 3), draw.size(2, 5), draw.size(4, 6), draw.choice((3, 1, 4)))
    brightest = draw.choice((255, 200, 255, 100))
    pixels = (draw.uniform(*shape) * (brightest + 1)).to(torch.uint8)
    pixels[0, 0, 0, 0] = brightest
    return {"pixels": pixels}


def _reshaped(pixels: Tensor) -> Tensor:
    batch, height, width, channels = pixels.shape
    return pixels.reshape(batch, channels, height, width).float() / 255


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the image is reshaped instead of permuted",
            "`view` and `reshape` keep the order of the numbers: the image is scrambled. Move axes with `permute`.",
            _reshaped,
        ),
        Fault(
            "height and width are swapped",
            "After the channels comes the height, then the width: which axis of `pixels` is which?",
            lambda pixels: pixels.permute(0, 3, 2, 1).float() / 255,
        ),
        Fault(
            "the channels are still last",
            "Layers want [batch, channels, height, width]: the axes have to be permuted.",
            lambda pixels: pixels.float() / 255,
        ),
        Fault(
            "the numbers are not scaled to [0, 1]",
            "The largest stored number, 255, should become 1.",
            lambda pixels: pixels.permute(0, 3, 1, 2).float(),
        ),
        Fault(
            "divided by 256 instead of 255",
            "uint8 numbers end at 255, and 255 should become exactly 1.",
            lambda pixels: pixels.permute(0, 3, 1, 2).float() / 256,
        ),
        Fault(
            "whole numbers are divided as whole numbers",
            "`//` and a conversion after the division leave 0 and 1 only: convert to float first.",
            lambda pixels: (pixels.permute(0, 3, 1, 2) // 255).float(),
        ),
        Fault(
            "scaled by the largest pixel of the batch",
            "The same grey must become the same number in every batch: divide by 255, whatever is in the batch.",
            lambda pixels: pixels.permute(0, 3, 1, 2) / pixels.max(),
        ),
        Fault(
            "scaled to [-1, 1]",
            "0 should stay 0 and 255 become 1.",
            lambda pixels: pixels.permute(0, 3, 1, 2).float() / 127.5 - 1,
        ),
    ),
)
