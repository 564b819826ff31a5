"""The output size of a convolution.

Write `convolution_size(size, kernel, stride, padding, dilation)`: how many outputs a convolution (or a pooling) has
along one axis of `size` pixels, a whole number. The kernel has `kernel` weights that lie `dilation` pixels apart,
`padding` zeros are added at both ends, and the kernel moves in steps of `stride`.
"""

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: convolutional layers, output size; slides: LeNet, dimensions of each output"
HINTS = (
    "How many pixels does the kernel cover from its first to its last weight?",
    "It covers dilation * (kernel - 1) + 1 pixels; count the positions at which it fits into size + 2 * padding.",
    "`(size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1`.",
)


def convolution_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Returns the number of outputs along one axis.

    Args:
        size: pixels of the input.
        kernel: weights of the kernel.
        stride: pixels from one output to the next.
        padding: zeros at each end.
        dilation: pixels from one weight to the next.
    """
    ### BEGIN SOLUTION
    covered = dilation * (kernel - 1) + 1
    return (size + 2 * padding - covered) // stride + 1
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, int]:
    kernel, dilation = draw.choice((3, 2, 5, 1)), draw.choice((1, 2, 3))
    padding = draw.choice((1, 0, 2))
    return {
        "size": draw.size(12, 30) + dilation * kernel,
        "kernel": kernel,
        "stride": draw.choice((2, 1, 3)),
        "padding": padding,
        "dilation": dilation,
    }


CHECK = Check(
    case=_case,
    cases=12,
    faults=(
        Fault(
            "the last + 1 is missing",
            "The first position counts too: steps + 1 positions.",
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s,
        ),
        Fault(
            "the padding counts once only",
            "Zeros are added at both ends: 2 * padding.",
            lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1,
        ),
        Fault(
            "the padding is missing",
            "Zeros at both ends make the input longer.",
            lambda n, k, s, p, d: (n - d * (k - 1) - 1) // s + 1,
        ),
        Fault(
            "the dilation is missing",
            "A dilated kernel covers dilation * (kernel - 1) + 1 pixels.",
            lambda n, k, s, p, d: (n + 2 * p - k) // s + 1,
        ),
        Fault(
            "the dilation multiplies the whole kernel",
            "There are kernel - 1 gaps: dilation * (kernel - 1) + 1 pixels.",
            lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1,
        ),
        Fault(
            "rounded up instead of down",
            "A position at which the kernel does not fit does not count: `//`.",
            lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1,
        ),
        Fault(
            "divided without rounding down",
            "A whole number: `//`, not `/`.",
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1,
        ),
        Fault(
            "the stride is missing",
            "Steps of `stride` pixels: divide by it.",
            lambda n, k, s, p, d: n + 2 * p - d * (k - 1),
        ),
        Fault(
            "the + 1 is divided as well",
            "First divide by the stride, then add 1.",
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s,
        ),
        Fault(
            "the kernel counts one too few",
            "The kernel covers dilation * (kernel - 1) + 1 pixels.",
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1,
        ),
    ),
)
