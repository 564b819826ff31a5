"""LeNet.

Write the class `LeNet()` for images [batch, 1, 28, 28]: a convolution with 20 kernels of 5 x 5, ReLU, max pooling
2 x 2; a convolution with 50 kernels of 5 x 5, ReLU, max pooling 2 x 2; a linear layer with 500 units and ReLU; a
linear layer with 10 outputs. No padding; logits come out, [batch, 10]. (How many numbers reach the first linear layer?)
"""

from typing import Any

from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill, shapes

SOURCE = "slides: exercise, a convolution model similar to LeNet"
HINTS = (
    "A 5 x 5 kernel without padding takes 4 off height and width, a pooling halves them: 28, 24, 12, 8, 4.",
    "50 maps of 4 x 4 are 800 numbers: flatten them before the first linear layer.",
    "`nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), ..., nn.Flatten(), nn.Linear(800, 500), ...)`.",
)


class LeNet(nn.Module):
    """Two convolutions with pooling, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.features = nn.Sequential(
            nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits [batch, 10] of images [batch, 1, 28, 28]."""
        ### BEGIN SOLUTION
        return self.classifier(self.features(x))
        ### END SOLUTION


def _probe(kind: Any, images: Tensor) -> dict[str, Any]:
    model = kind()
    sizes = shapes(model)
    if not sizes:
        return {"shapes of the parameters": sizes, "logits": None}
    fill(model)
    return {"shapes of the parameters": sizes, "logits": model(images)}


def _case(draw: Draw) -> dict[str, Tensor]:
    return {"images": draw.normal(draw.size(2, 3), 1, 28, 28)}


class _Variant(nn.Module):
    """LeNet with switches."""

    pool: type[nn.Module] = nn.MaxPool2d
    between: type[nn.Module] = nn.ReLU
    hidden: type[nn.Module] = nn.ReLU
    maps, units, kernel, padding = (20, 50), 500, 5, 0
    last: type[nn.Module] = nn.Identity
    bias = True

    def __init__(self) -> None:
        super().__init__()
        one, two = self.maps
        side = ((28 + 2 * self.padding - self.kernel + 1) // 2 + 2 * self.padding - self.kernel + 1) // 2
        size = {"kernel_size": self.kernel, "padding": self.padding, "bias": self.bias}
        self.layers = nn.Sequential(
            nn.Conv2d(1, one, **size), self.between(), self.pool(2),
            nn.Conv2d(one, two, **size), self.between(), self.pool(2),
            nn.Flatten(), nn.Linear(two * side * side, self.units), self.hidden(),
            nn.Linear(self.units, 10), self.last(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class _AveragePooling(_Variant):
    pool = nn.AvgPool2d


class _NoActivations(_Variant):
    between = hidden = nn.Identity


class _NoHiddenActivation(_Variant):
    hidden = nn.Identity


class _NoActivationAfterConvolutions(_Variant):
    between = nn.Identity


class _ReluAtTheEnd(_Variant):
    last = nn.ReLU


class _SoftmaxAtTheEnd(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).softmax(1)


class _LogSoftmaxAtTheEnd(_Variant):
    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).log_softmax(1)


class _Padded(_Variant):
    padding = 2


class _SmallKernels(_Variant):
    kernel = 3


class _OriginalMaps(_Variant):
    maps = (6, 16)


class _FewUnits(_Variant):
    units = 50


class _NoConvolutionBias(_Variant):
    bias = False


class _Tanh(_Variant):
    between = hidden = nn.Tanh


CHECK = Check(
    probe=_probe,
    case=_case,
    cases=2,
    faults=(
        Fault("average pooling instead of max pooling", "The largest of each 2 x 2: nn.MaxPool2d.", _AveragePooling),
        Fault("there are no activations", "ReLU after both convolutions and after the hidden layer.", _NoActivations),
        Fault("the hidden layer has no activation", "ReLU after the layer with 500 units.", _NoHiddenActivation),
        Fault(
            "the convolutions have no activation",
            "ReLU after each convolution.",
            _NoActivationAfterConvolutions,
        ),
        Fault("there is a ReLU after the last layer", "Logits may be negative.", _ReluAtTheEnd),
        Fault("there is a softmax at the end", "The loss applies it: return the logits.", _SoftmaxAtTheEnd),
        Fault("there is a log-softmax at the end", "The loss applies it: return the logits.", _LogSoftmaxAtTheEnd),
        Fault("the images are padded", "Without padding 28 x 28 becomes 24 x 24.", _Padded),
        Fault("the kernels are 3 x 3", "5 x 5 kernels are asked for.", _SmallKernels),
        Fault("6 and 16 kernels instead of 20 and 50", "Those are LeNet-5's numbers; here 20 and 50.", _OriginalMaps),
        Fault("the hidden layer has 50 units", "500 units are asked for.", _FewUnits),
        Fault("the convolutions have no bias", "A bias for each kernel, as is the default.", _NoConvolutionBias),
        Fault("tanh instead of ReLU", "The statement asks for ReLU.", _Tanh),
    ),
)
