import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("preact_block")


class Student(nn.Module):
    bias = False

    def __init__(self, c_in, subsample=False, c_out=-1):
        super().__init__()
        if not subsample:
            c_out = c_in
        self.subsample = subsample
        self.bn1, self.bn2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=2 if subsample else 1, padding=1, bias=self.bias)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=self.bias)
        if subsample:
            self.bn3 = nn.BatchNorm2d(c_in)
            self.conv3 = nn.Conv2d(c_in, c_out, 1, stride=2, bias=self.bias)

    def branch(self, x):
        x = self.conv1(F.relu(self.bn1(x)))
        return self.conv2(F.relu(self.bn2(x)))

    def skip(self, x):
        return self.conv3(F.relu(self.bn3(x))) if self.subsample else x

    def forward(self, x):
        return self.skip(x) + self.branch(x)


@WRONG("there is a ReLU after the sum")
class ReluAfter(Student):
    def forward(self, x):
        return F.relu(super().forward(x))


@WRONG("the input is not added")
class NoSkip(Student):
    def forward(self, x):
        return self.branch(x)


@WRONG("the convolutions have a bias")
class Bias(Student):
    bias = True


@WRONG("the branch has no ReLU")
class NoRelu(Student):
    def branch(self, x):
        return self.conv2(self.bn2(self.conv1(self.bn1(x))))


class PostNorm(Student):
    def __init__(self, c_in, subsample=False, c_out=-1):
        super().__init__(c_in, subsample, c_out)
        self.bn1 = nn.BatchNorm2d(self.conv1.out_channels)

    def branch(self, x):
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))


@WRONG("the order is post-activation")
class PostActivation(PostNorm):
    def forward(self, x):
        return torch.relu(self.skip(x) + self.branch(x))


@WRONG("BatchNorm and ReLU come after the convolutions")
class NormLast(PostNorm):
    pass


@WRONG("the shortcut lacks BatchNorm and ReLU")
class BareConv(Student):
    def __init__(self, c_in, subsample=False, c_out=-1):
        super().__init__(c_in, subsample, c_out)
        if subsample:
            del self.bn3

    def skip(self, x):
        return self.conv3(x) if self.subsample else x


@WRONG("the shortcut shares the branch's BatchNorm")
class Shared(Student):
    def __init__(self, c_in, subsample=False, c_out=-1):
        super().__init__(c_in, subsample, c_out)
        if subsample:
            self.bn3 = self.bn1

    def forward(self, x):
        y = F.relu(self.bn1(x))
        skip = self.conv3(y) if self.subsample else x
        return skip + self.conv2(F.relu(self.bn2(self.conv1(y))))


@WRONG("the activated input is added")
class ActivatedSkip(Student):
    def forward(self, x):
        if self.subsample:
            return super().forward(x)
        y = F.relu(self.bn1(x))
        return y + self.conv2(F.relu(self.bn2(self.conv1(y))))


@WRONG("the second convolution has the stride")
class LateStride(Student):
    def __init__(self, c_in, subsample=False, c_out=-1):
        super().__init__(c_in, subsample, c_out)
        self.conv1.stride, self.conv2.stride = self.conv2.stride, self.conv1.stride


@WRONG("the shortcut convolves although nothing changes size")
class AlwaysConvolves(Student):
    def __init__(self, c_in, subsample=False, c_out=-1):
        super().__init__(c_in, subsample, c_out)
        if not subsample:
            self.bn3, self.conv3 = nn.BatchNorm2d(c_in), nn.Conv2d(c_in, c_in, 1, bias=False)

    def skip(self, x):
        return self.conv3(F.relu(self.bn3(x)))


@WRONG("the convolutions are not padded")
class NoPadding(Student):
    def __init__(self, c_in, subsample=False, c_out=-1):
        super().__init__(c_in, subsample, c_out)
        self.conv1.padding = self.conv2.padding = (0, 0)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
