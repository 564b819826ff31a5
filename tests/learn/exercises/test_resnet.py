import pytest
import torch
from torch import nn

from gradlab.learn.exercises.resnet import Block
from tests.learn.mutants import Mutants

WRONG = Mutants("resnet")


class Student(nn.Module):
    bias = False

    def __init__(self, num_classes, num_blocks, c_hidden):
        super().__init__()
        self.input_net = nn.Conv2d(3, c_hidden[0], kernel_size=3, padding=1, bias=self.bias)
        self.blocks = nn.ModuleList(self.stack(num_blocks, c_hidden))
        self.out = nn.Linear(c_hidden[-1], num_classes)

    def stack(self, num_blocks, c_hidden):
        c_in = c_hidden[0]
        for group, count in enumerate(num_blocks):
            for index in range(count):
                yield Block(c_in, self.halves(group, index), c_hidden[group])
                c_in = c_hidden[group]

    def halves(self, group, index):
        return index == 0 and group > 0

    def pool(self, x):
        return nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)

    def forward(self, x):
        x = self.input_net(x)
        for block in self.blocks:
            x = block(x)
        return self.out(self.pool(x))


@WRONG("the first group subsamples as well")
class EveryGroup(Student):
    def halves(self, group, index):
        return index == 0


@WRONG("every block of the later groups subsamples")
class EveryBlock(Student):
    def halves(self, group, index):
        return group > 0


@WRONG("the largest place instead of the mean")
class Max(Student):
    def pool(self, x):
        return x.flatten(2).max(dim=2).values


@WRONG("the places are summed instead of averaged")
class Sum(Student):
    def pool(self, x):
        return x.flatten(2).sum(dim=-1)


@WRONG("only one corner is used")
class Corner(Student):
    def pool(self, x):
        return x[..., 0, 0]


@WRONG("the maps are flattened instead of averaged")
class Flatten(Student):
    def __init__(self, num_classes, num_blocks, c_hidden):
        super().__init__(num_classes, num_blocks, c_hidden)
        side = 8 >> (len(num_blocks) - 1)
        self.out = nn.Linear(c_hidden[-1] * side * side, num_classes)

    def pool(self, x):
        return x.reshape(len(x), -1)


@WRONG("the first convolution has a bias")
class Bias(Student):
    bias = True


@WRONG("there is a ReLU after the first convolution")
class ReluFirst(Student):
    def forward(self, x):
        x = torch.relu(self.input_net(x))
        return self.out(self.pool(nn.Sequential(*self.blocks)(x)))


@WRONG("there is a softmax at the end")
class Softmax(Student):
    def forward(self, x):
        y = super().forward(x).exp()
        return y / y.sum(1, keepdim=True)


@WRONG("every group has a single block")
class OneBlock(Student):
    def stack(self, num_blocks, c_hidden):
        return super().stack([1 for _ in num_blocks], c_hidden)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
