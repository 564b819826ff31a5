"""Cut images into patches.

Write `img_to_patch(x, patch_size, flatten_channels)` for images [batch, channels, height, width] whose sides are
multiples of `patch_size` p: the patches of each image from left to right, row of patches by row of patches. The shape
is [batch, patches, channels, p, p], or [batch, patches, channels * p * p] with `flatten_channels`.
"""

from typing import Any

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 3: img_to_patch"
HINTS = (
    "Split height into (rows of patches, p) and width into (columns of patches, p): six axes.",
    "Then bring the two patch counts together in front of the channels, and merge them.",
    "`x.reshape(B, C, H // p, p, W // p, p).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)`, and `.flatten(2)` if asked.",
)


def img_to_patch(x: Tensor, patch_size: int, flatten_channels: bool = True) -> Tensor:
    """Returns patches [batch, patches, channels * p * p], or [batch, patches, channels, p, p].

    Args:
        x: [batch, channels, height, width].
        patch_size: p, pixels of a patch's side.
        flatten_channels: make each patch one vector.
    """
    ### BEGIN SOLUTION
    batch, channels, height, width = x.shape
    p = patch_size
    patches = x.reshape(batch, channels, height // p, p, width // p, p).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    return patches.flatten(2) if flatten_channels else patches
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Any]:
    p = draw.choice((2, 3))
    shape = (draw.size(1, 3), draw.size(1, 3), p * draw.size(2, 3), p * draw.size(3, 4))
    return {"x": draw.normal(*shape), "patch_size": p, "flatten_channels": draw.case % 2 == 0}


def _patches(x: Tensor, p: int, flat: bool, order: tuple[int, ...] = (0, 2, 4, 1, 3, 5)) -> Tensor:
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, channels, height // p, p, width // p, p).permute(*order)
    patches = parts.reshape(batch, (height // p) * (width // p), *parts.shape[3:])
    return patches.flatten(2) if flat else patches


def _reshaped(x: Tensor, p: int, flat: bool) -> Tensor:
    patches = x.reshape(len(x), -1, x.shape[1], p, p)
    return patches.flatten(2) if flat else patches


def _first_split(x: Tensor, p: int, flat: bool) -> Tensor:
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, channels, p, height // p, p, width // p).permute(0, 3, 5, 1, 2, 4)
    patches = parts.flatten(1, 2)
    return patches.flatten(2) if flat else patches


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the image is reshaped without moving axes",
            "`reshape` alone keeps the order of the numbers and takes runs of pixels: `permute` must move axes.",
            _reshaped,
        ),
        Fault(
            "the patches run column by column",
            "From left to right first: the count of rows comes before the count of columns.",
            lambda x, p, f: _patches(x, p, f, (0, 4, 2, 1, 3, 5)),
        ),
        Fault(
            "the pixels of a patch are transposed",
            "Inside a patch rows come before columns.",
            lambda x, p, f: _patches(x, p, f, (0, 2, 4, 1, 5, 3)),
        ),
        Fault(
            "a patch takes every n-th pixel",
            "A patch is a connected square: split height into (rows of patches, p), in this order.",
            _first_split,
        ),
        Fault(
            "the channels come last in a patch",
            "[channels, p, p]: channels first.",
            lambda x, p, f: _patches(x, p, f, (0, 2, 4, 3, 5, 1)),
        ),
        Fault(
            "channels and patches are swapped",
            "[batch, patches, channels, p, p].",
            lambda x, p, f: _patches(x, p, False).transpose(1, 2).flatten(2),
        ),
        Fault(
            "the patches are never flattened",
            "With `flatten_channels` a patch is one vector.",
            lambda x, p, f: _patches(x, p, False),
        ),
        Fault(
            "the patches are always flattened",
            "Without `flatten_channels` a patch stays [channels, p, p].",
            lambda x, p, f: _patches(x, p, True),
        ),
        Fault(
            "flatten_channels is the wrong way round",
            "True means one vector a patch.",
            lambda x, p, f: _patches(x, p, not f),
        ),
        Fault(
            "batch and patches are merged", "The batch's axis stays.", lambda x, p, f: _patches(x, p, f).flatten(0, 1)
        ),
        Fault(
            "each channel is a patch of its own",
            "A patch holds all channels.",
            lambda x, p, f: (
                _patches(x, p, False).flatten(1, 2).flatten(2) if f else _patches(x, p, False).flatten(1, 2)
            ),
        ),
    ),
)
