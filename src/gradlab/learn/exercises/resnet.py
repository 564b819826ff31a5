"""A residual network from blocks.

`Block(c_in, subsample, c_out)` is given. Write the class `ResNet(num_classes, num_blocks, c_hidden)`: a 3 x 3
convolution from 3 to c_hidden[0] channels (padding 1, no bias, nothing after it); then for each group g num_blocks[g]
blocks with c_hidden[g] channels, where the first block of every group but the first subsamples; then the mean over
height and width, and a linear layer to num_classes logits.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "practical 2, part 1: the full ResNet"
HINTS = (
    "Two loops: over the groups and over the blocks of a group. When does a block subsample?",
    "`subsample = block == 0 and group > 0`; it then goes from c_hidden[group - 1] to c_hidden[group] channels.",
    "After the blocks `x.mean((2, 3))`, or nn.AdaptiveAvgPool2d(1) and nn.Flatten(), then nn.Linear.",
)


class Block(nn.Module):
    """A small residual block; halves height and width where it subsamples."""

    def __init__(self, c_in: int, subsample: bool = False, c_out: int = -1) -> None:
        super().__init__()
        c_out, stride = (c_out, 2) if subsample else (c_in, 1)
        self.branch = nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1))
        self.shortcut = nn.Conv2d(c_in, c_out, 1, stride=2) if subsample else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, c_out, height', width']."""
        return self.shortcut(x) + self.branch(x)


class ResNet(nn.Module):
    """Groups of residual blocks between a convolution and a linear layer.

    Args:
        num_classes: number of classes.
        num_blocks: blocks of each group.
        c_hidden: channels of each group.
    """

    def __init__(self, num_classes: int, num_blocks: Sequence[int], c_hidden: Sequence[int]) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.first = nn.Conv2d(3, c_hidden[0], 3, padding=1, bias=False)
        blocks = []
        for group, count in enumerate(num_blocks):
            for block in range(count):
                subsample = block == 0 and group > 0
                blocks.append(Block(c_hidden[group - subsample], subsample, c_hidden[group]))
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(c_hidden[-1], num_classes)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, num_classes] of images [batch, 3, height, width]."""
        ### BEGIN SOLUTION
        return self.last(self.blocks(self.first(x)).mean((2, 3)))
        ### END SOLUTION


def _probe(kind: Any, images: Tensor, num_classes: int, num_blocks: list[int], c_hidden: list[int]) -> dict[str, Any]:
    model = kind(num_classes, num_blocks, c_hidden)
    sizes = shapes(model)
    fill(model)
    return {"shapes of the parameters": sizes, "logits": model(images)}


def _case(draw: Draw) -> dict[str, Any]:
    blocks = [[1, 1], [2, 1], [1, 2, 1], [1, 1, 2]][min(draw.case, 3)]
    channels = [draw.size(2, 3), 4, 5][: len(blocks)]
    return {
        "images": draw.normal(2, 3, 8, 8),
        "num_classes": draw.size(3, 6),
        "num_blocks": blocks,
        "c_hidden": channels,
    }


class _Variant(nn.Module):
    """The network with switches."""

    bias = norm = after = flat = False
    never, always, every_first, pooled_by = False, False, False, "mean"

    def __init__(self, num_classes: int, num_blocks: Sequence[int], c_hidden: Sequence[int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, c_hidden[0], 3, padding=1, bias=self.bias)
        blocks: list[nn.Module] = []
        for group, count in enumerate(num_blocks):
            for block in range(count):
                begins = block == 0 and group > 0
                subsample = begins or (self.every_first and block == 0) or (self.always and group > 0)
                blocks.append(Block(c_hidden[group - begins], subsample, c_hidden[group]))
                if self.never and begins:
                    blocks[-1] = _Wider(c_hidden[group - 1], c_hidden[group])
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(c_hidden[-1] * (self._places(len(num_blocks)) if self.flat else 1), num_classes)

    def _places(self, groups: int) -> int:
        return (8 // 2 ** (groups - 1)) ** 2

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = self.blocks(x.relu() if self.after else x)
        pooled = {"mean": x.mean((2, 3)), "max": x.amax((2, 3)), "sum": x.sum((2, 3)), "corner": x[:, :, 0, 0]}
        return self.last(x.flatten(1) if self.flat else pooled[self.pooled_by])


class _Wider(nn.Module):
    """A block that changes the channels and keeps height and width."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c_out, 3, padding=1))
        self.shortcut = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.branch(x)


class _EveryFirst(_Variant):
    every_first = True


class _Always(_Variant):
    always = True


class _Never(_Variant):
    never = True


class _MaxPooled(_Variant):
    pooled_by = "max"


class _Summed(_Variant):
    pooled_by = "sum"


class _Corner(_Variant):
    pooled_by = "corner"


class _Flat(_Variant):
    flat = True


class _Bias(_Variant):
    bias = True


class _FirstActivated(_Variant):
    after = True


class _Softmax(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(1)


class _OneEach(_Variant):
    def __init__(self, num_classes: int, num_blocks: Sequence[int], c_hidden: Sequence[int]) -> None:
        super().__init__(num_classes, [1] * len(num_blocks), c_hidden)


CHECK = Check(
    probe=_probe,
    case=_case,
    cases=4,
    faults=(
        Fault(
            "the first group subsamples as well", "Only groups after the first begin with a smaller image.", _EveryFirst
        ),
        Fault("every block of the later groups subsamples", "Only the first block of a group does.", _Always),
        Fault("no block subsamples", "The first block of each later group halves height and width.", _Never),
        Fault("the largest place instead of the mean", "The mean over height and width.", _MaxPooled),
        Fault("the places are summed instead of averaged", "The mean over height and width.", _Summed),
        Fault("only one corner is used", "The mean over height and width.", _Corner),
        Fault("the maps are flattened instead of averaged", "The mean over height and width comes first.", _Flat),
        Fault("the first convolution has a bias", "`bias=False`.", _Bias),
        Fault(
            "there is a ReLU after the first convolution",
            "The blocks begin with their own: nothing here.",
            _FirstActivated,
        ),
        Fault("there is a softmax at the end", "The loss applies it: return the logits.", _Softmax),
        Fault("every group has a single block", "Group g has num_blocks[g] blocks.", _OneEach),
    ),
)
