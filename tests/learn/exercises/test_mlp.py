from itertools import pairwise

import pytest
import torch
from torch import nn

from tests.learn.mutants import Mutants

WRONG = Mutants("mlp")


class Student(nn.Module):
    """Layers in a ModuleList, applied one after the other."""

    def __init__(self, input_size, num_classes, hidden_sizes):
        super().__init__()
        sizes = [input_size, *hidden_sizes, num_classes]
        self.linears = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(sizes)])

    def forward(self, x):
        x = x.view(x.size(0), -1)
        for linear in self.linears[:-1]:
            x = torch.relu(linear(x))
        return self.linears[-1](x)


def test_another_right_solution_passes():
    from tests.learn.mutants import judged

    assert judged("mlp", Student)


@WRONG("there is an activation after the last layer")
class ReluEverywhere(Student):
    def forward(self, x):
        x = x.view(x.size(0), -1)
        for linear in self.linears:
            x = linear(x).clamp(min=0)
        return x


@WRONG("there is a softmax at the end")
class Probabilities(Student):
    def forward(self, x):
        return torch.softmax(super().forward(x), -1)


@WRONG("there is no activation between the layers")
class OneLinearMap(Student):
    def forward(self, x):
        return nn.Sequential(nn.Flatten(), *self.linears)(x)


@WRONG("sigmoid instead of ReLU")
class Sigmoid(Student):
    def forward(self, x):
        x = x.flatten(1)
        for linear in self.linears[:-1]:
            x = 1 / (1 + torch.exp(-linear(x)))
        return self.linears[-1](x)


@WRONG("tanh instead of ReLU")
class Tanh(Student):
    def forward(self, x):
        x = x.flatten(1)
        for linear in self.linears[:-1]:
            x = linear(x).tanh()
        return self.linears[-1](x)


@WRONG("the images are not flattened")
class NotFlat(Student):
    def forward(self, x):
        for linear in self.linears[:-1]:
            x = torch.relu(linear(x))
        return self.linears[-1](x)


@WRONG("the linear layers have no bias")
class NoBias(nn.Module):
    def __init__(self, input_size, num_classes, hidden_sizes):
        super().__init__()
        sizes = [input_size, *hidden_sizes, num_classes]
        self.weights = nn.ParameterList([torch.randn(b, a) for a, b in pairwise(sizes)])

    def forward(self, x):
        x = x.flatten(1)
        for weight in self.weights[:-1]:
            x = (x @ weight.T).relu()
        return x @ self.weights[-1].T


@WRONG("a hidden layer is missing")
class OffByOne(Student):
    def __init__(self, input_size, num_classes, hidden_sizes):
        super().__init__(input_size, num_classes, list(hidden_sizes)[: len(hidden_sizes) - 1])


@WRONG("the layers are in a plain list")
class PlainList(Student):
    def __init__(self, input_size, num_classes, hidden_sizes):
        nn.Module.__init__(self)
        sizes = [input_size, *hidden_sizes, num_classes]
        self.linears = [nn.Linear(a, b) for a, b in pairwise(sizes)]


@WRONG("leaky ReLU instead of ReLU")
class Leaky(Student):
    def forward(self, x):
        x = x.flatten(1)
        for linear in self.linears[:-1]:
            x = nn.functional.leaky_relu(linear(x))
        return self.linears[-1](x)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
