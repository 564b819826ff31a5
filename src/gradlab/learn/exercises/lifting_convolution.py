"""A lifting convolution.

Write `lifting_convolution(images, kernels)` for images [batch, in, height, width] and turned kernels
[out, h, in, k, k] (h group elements): correlate the images with every kernel, without padding. The result is
[batch, out, h, height - k + 1, width - k + 1]. Every turned kernel is one more output channel to `conv2d`.
"""

from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: LiftingConvolution.forward"
HINTS = (
    "conv2d wants [outputs, in, k, k]: fold the group axis into the output channels.",
    "Output channels come before the group axis, in the kernels and in the result: fold and unfold in this order.",
    "`functional.conv2d(images, kernels.flatten(0, 1)).unflatten(1, kernels.shape[:2])`.",
)


def lifting_convolution(images: Tensor, kernels: Tensor) -> Tensor:
    """Returns [batch, out, h, height - k + 1, width - k + 1].

    Args:
        images: [batch, in, height, width].
        kernels: [out, h, in, k, k].
    """
    ### BEGIN SOLUTION
    return functional.conv2d(images, kernels.flatten(0, 1)).unflatten(1, kernels.shape[:2])
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    channels, side = draw.size(1, 3), draw.size(2, 3)
    elements = draw.choice((4, 2, 3))
    outputs = elements if draw.case == 2 else draw.size(2, 3)
    return {
        "images": draw.normal(draw.size(1, 3), channels, draw.size(3, 5), draw.size(4, 6)),
        "kernels": draw.normal(outputs, elements, channels, side, side),
    }


def _lift(images: Tensor, kernels: Tensor) -> Tensor:
    return functional.conv2d(images, kernels.flatten(0, 1)).unflatten(1, kernels.shape[:2])


def _misfolded(images: Tensor, kernels: Tensor) -> Tensor:
    out = _lift(images, kernels)
    return out.flatten(1, 2).reshape(len(images), kernels.shape[1], kernels.shape[0], *out.shape[3:])


def _scrambled(images: Tensor, kernels: Tensor) -> Tensor:
    folded = kernels.transpose(0, 1).flatten(0, 1)
    return functional.conv2d(images, folded).unflatten(1, kernels.shape[:2])


def _swapped_sides(images: Tensor, kernels: Tensor) -> Tensor:
    out = _lift(images, kernels)
    return out.reshape(*out.shape[:3], out.shape[4], out.shape[3])


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the group axis is still folded",
            "Unfold the channels to [out, h] again.",
            lambda x, k: _lift(x, k).flatten(1, 2),
        ),
        Fault(
            "channels and group elements are swapped",
            "[batch, out, h, ...]: channels before elements.",
            lambda x, k: _lift(x, k).transpose(1, 2),
        ),
        Fault(
            "the channels are unfolded in the wrong order", "They were folded as (out, h): unfold them so.", _misfolded
        ),
        Fault("the kernels are folded in the wrong order", "Fold (out, h), without a transpose before.", _scrambled),
        Fault("height and width are swapped", "The last axis is the width.", _swapped_sides),
        Fault("the kernels are flipped", "conv2d takes them as they are.", lambda x, k: _lift(x, k.flip(-1, -2))),
        Fault(
            "the group elements are summed",
            "They stay apart, on an axis of their own.",
            lambda x, k: _lift(x, k).sum(2),
        ),
        Fault(
            "only the first element's kernels are used",
            "All turned kernels are used.",
            lambda x, k: functional.conv2d(x, k[:, 0]),
        ),
        Fault(
            "the first element's kernels serve for all",
            "Each element has its own kernels.",
            lambda x, k: _lift(x, k[:, :1].expand_as(k)),
        ),
        Fault(
            "the images are padded",
            "No padding is asked for.",
            lambda x, k: functional.conv2d(x, k.flatten(0, 1), padding=k.shape[-1] // 2).unflatten(1, k.shape[:2]),
        ),
        Fault(
            "the group elements run backwards",
            "Element h of the result belongs to element h of the kernels.",
            lambda x, k: _lift(x, k).flip(2),
        ),
    ),
)
