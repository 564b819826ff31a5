import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("invariant_head")


class Student(nn.Module):
    def __init__(self, channels, num_classes):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.final_linear = nn.Linear(channels, num_classes)

    def prepared(self, x):
        return F.relu(F.layer_norm(x, x.shape[-4:]))

    def pooled(self, x):
        return self.pool(x).flatten(1)

    def forward(self, x):
        return self.final_linear(self.pooled(self.prepared(x)))


@WRONG("a batch of one loses its axis")
class Squeezes(Student):
    def pooled(self, x):
        return self.pool(x).squeeze()


@WRONG("there is no layer norm")
class NoNorm(Student):
    def prepared(self, x):
        return F.relu(x)


@WRONG("each channel is normalised by itself")
class ThreeAxes(Student):
    def prepared(self, x):
        return F.relu(F.instance_norm(x))


@WRONG("there is no ReLU")
class NoRelu(Student):
    def prepared(self, x):
        return F.layer_norm(x, x.shape[-4:])


@WRONG("the ReLU comes before the norm")
class Order(Student):
    def prepared(self, x):
        return F.layer_norm(F.relu(x), x.shape[-4:])


@WRONG("the largest value instead of the mean")
class MaxPool(Student):
    def __init__(self, channels, num_classes):
        super().__init__(channels, num_classes)
        self.pool = nn.AdaptiveMaxPool3d(1)


@WRONG("the sum instead of the mean")
class Sum(Student):
    def pooled(self, x):
        return x.flatten(2).sum(-1)


@WRONG("only the first group element is used")
class First(Student):
    def pooled(self, x):
        return F.adaptive_avg_pool2d(x[:, :, 0], 1).flatten(1)


@WRONG("only one place is used")
class Corner(Student):
    def pooled(self, x):
        return x.mean(dim=2)[..., 0, 0]


@WRONG("the largest group element, then the mean")
class GroupMax(Student):
    def pooled(self, x):
        return x.max(dim=2).values.mean(dim=(-2, -1))


@WRONG("there is a softmax at the end")
class Softmax(Student):
    def forward(self, x):
        return torch.softmax(super().forward(x), -1)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
