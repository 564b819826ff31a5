"""A pre-activation residual block.

Write the class `PreActResNetBlock(c_in, subsample, c_out)`. The branch F is BatchNorm, ReLU, 3 x 3 convolution, then
BatchNorm, ReLU, 3 x 3 convolution, padded by 1 and without bias, and the block returns x + F(x). With `subsample` the
first convolution has stride 2 and `c_out` channels, and x goes through BatchNorm, ReLU and a 1 x 1 convolution of
stride 2 (no bias) before the sum. Without it `c_out` does not count: the block keeps `c_in` channels.
"""

from typing import Any

from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "practical 2, part 1: the pre-activation ResNet block"
HINTS = (
    "Pre-activation: each convolution comes after its BatchNorm and ReLU, and nothing comes after the sum.",
    "First `if not subsample: c_out = c_in`. The first BatchNorm has c_in channels, the second c_out.",
    "Shortcut: `nn.Sequential(nn.BatchNorm2d(c_in), nn.ReLU(), nn.Conv2d(c_in, c_out, 1, stride=2, bias=False))`.",
)


class PreActResNetBlock(nn.Module):
    """BN-ReLU-conv twice, added to the input.

    Args:
        c_in: channels of the input.
        subsample: halve height and width.
        c_out: channels of the output where it subsamples, else c_in.
    """

    def __init__(self, c_in: int, subsample: bool = False, c_out: int = -1) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        c_out = c_out if subsample else c_in
        stride = 2 if subsample else 1
        self.branch = nn.Sequential(
            nn.BatchNorm2d(c_in),
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
        )
        self.shortcut = nn.Identity()
        if subsample:
            self.shortcut = nn.Sequential(
                nn.BatchNorm2d(c_in), nn.ReLU(), nn.Conv2d(c_in, c_out, 1, stride=2, bias=False)
            )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, c_out, height', width'] for x [batch, c_in, height, width]."""
        ### BEGIN SOLUTION
        return self.shortcut(x) + self.branch(x)
        ### END SOLUTION


def _probe(kind: Any, images: Tensor, subsample: bool, c_out: int) -> dict[str, Any]:
    block = kind(images.shape[1], subsample=subsample, c_out=c_out)
    sizes = shapes(block)
    fill(block)
    trained = block(images)
    return {"shapes of the parameters": sizes, "output": trained, "output in evaluation mode": block.eval()(images)}


def _case(draw: Draw) -> dict[str, Any]:
    channels, height = draw.size(2, 4), draw.choice((4, 6))
    subsample = draw.case % 2 == 1
    images = draw.normal(draw.size(2, 3), channels, height, 4) + 0.3
    return {"images": images, "subsample": subsample, "c_out": channels + 1 if subsample else -1}


class _Variant(nn.Module):
    """The block with switches."""

    post = bias = last = scaled = False
    padding, activate, add, pool = 1, True, True, False
    bare_shortcut, shortcut_norm, stride_second = False, True, False

    def __init__(self, c_in: int, subsample: bool = False, c_out: int = -1) -> None:
        super().__init__()
        c_out = c_out if subsample else c_in
        stride = 2 if subsample else 1
        one, two = (1, stride) if self.stride_second else (stride, 1)
        act = nn.ReLU if self.activate else nn.Identity
        first = nn.Conv2d(c_in, c_out, 3, stride=one, padding=self.padding, bias=self.bias)
        second = nn.Conv2d(c_out, c_out, 3, stride=two, padding=self.padding, bias=self.bias)
        if self.post:
            parts = [first, nn.BatchNorm2d(c_out), act(), second, nn.BatchNorm2d(c_out)]
        else:
            parts = [nn.BatchNorm2d(c_in), act(), first, nn.BatchNorm2d(c_out), act(), second]
        self.branch = nn.Sequential(*parts)
        convolution = nn.Conv2d(c_in, c_out, 1, stride=2, bias=self.bias)
        norm = [nn.BatchNorm2d(c_in), nn.ReLU()] if self.shortcut_norm else []
        self.shortcut = (
            nn.Sequential(*([] if self.bare_shortcut else norm), convolution) if subsample else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.shortcut(x) + self.branch(x) if self.add else self.branch(x)
        return y.relu() if self.last else y


class _Post(_Variant):
    post = last = True


class _PostWithoutLast(_Variant):
    post = True


class _LastRelu(_Variant):
    last = True


class _NoSkip(_Variant):
    add = False


class _Bias(_Variant):
    bias = True


class _NoPadding(_Variant):
    padding = 0


class _NoActivation(_Variant):
    activate = False


class _BareShortcut(_Variant):
    bare_shortcut = True


class _LateStride(_Variant):
    stride_second = True


class _NormedSkip(_Variant):
    """What is added is the activated input and not the input."""

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.shortcut, nn.Identity):
            x = self.branch[1](self.branch[0](x))
            return x + self.branch[2:](x)
        return self.shortcut(x) + self.branch(x)


class _ConvolvedSkip(_Variant):
    """A 1 x 1 convolution on the shortcut even where nothing changes its size."""

    def __init__(self, c_in: int, subsample: bool = False, c_out: int = -1) -> None:
        super().__init__(c_in, subsample, c_out)
        if not subsample:
            self.shortcut = nn.Sequential(nn.BatchNorm2d(c_in), nn.ReLU(), nn.Conv2d(c_in, c_in, 1, bias=False))


class _SharedNorm(_Variant):
    """The shortcut begins with the branch's BatchNorm instead of its own."""

    shortcut_norm = False

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.shortcut, nn.Identity):
            return x + self.branch(x)
        active = self.branch[1](self.branch[0](x))
        return self.shortcut(active) + self.branch[2:](active)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the order is post-activation",
            "Here BatchNorm and ReLU come before each convolution, and nothing after the sum.",
            _Post,
        ),
        Fault(
            "BatchNorm and ReLU come after the convolutions",
            "In a pre-activation block they come before each convolution.",
            _PostWithoutLast,
        ),
        Fault("there is a ReLU after the sum", "The sum must pass unchanged, for the gradient's sake.", _LastRelu),
        Fault("the input is not added", "The block returns x + F(x).", _NoSkip),
        Fault("the convolutions have a bias", "A BatchNorm follows and takes it away: `bias=False`.", _Bias),
        Fault("the convolutions are not padded", "`padding=1` keeps height and width.", _NoPadding),
        Fault("the branch has no ReLU", "BatchNorm, ReLU, convolution, twice.", _NoActivation),
        Fault(
            "the shortcut lacks BatchNorm and ReLU", "Where it subsamples: BN, ReLU, 1 x 1 convolution.", _BareShortcut
        ),
        Fault(
            "the shortcut shares the branch's BatchNorm",
            "It has a BatchNorm of its own.",
            _SharedNorm,
        ),
        Fault("the second convolution has the stride", "The first one halves height and width.", _LateStride),
        Fault("the activated input is added", "x itself is added, before any BatchNorm or ReLU.", _NormedSkip),
        Fault(
            "the shortcut convolves although nothing changes size",
            "Without `subsample` x is added as it is.",
            _ConvolvedSkip,
        ),
    ),
)
