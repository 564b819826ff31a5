import pytest
from torch import nn
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("lenet")


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.view(-1, 800))))


@WRONG("average pooling instead of max pooling")
class Average(Student):
    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.conv1(x)), 2)
        x = F.avg_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


@WRONG("there are no activations")
class Linear(Student):
    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.fc2(self.fc1(x.flatten(1)))


@WRONG("the hidden layer has no activation")
class NoHidden(Student):
    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        return self.fc2(self.fc1(x.flatten(1)))


@WRONG("the convolutions have no activation")
class OnlyHidden(Student):
    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.fc2(self.fc1(x.flatten(1)).relu())


@WRONG("there is a ReLU after the last layer")
class ReluLast(Student):
    def forward(self, x):
        return super().forward(x).clamp(min=0)


@WRONG("there is a softmax at the end")
class Softmax(Student):
    def forward(self, x):
        return nn.Softmax(dim=-1)(super().forward(x))


@WRONG("there is a log-softmax at the end")
class LogSoftmax(Student):
    def forward(self, x):
        y = super().forward(x)
        return y - y.exp().sum(1, keepdim=True).log()


@WRONG("the images are padded")
class Padded(Student):
    def __init__(self):
        super().__init__()
        self.conv1.padding = self.conv2.padding = (2, 2)
        self.conv1 = nn.Conv2d(1, 20, 5, padding=2)
        self.conv2 = nn.Conv2d(20, 50, 5, padding="same")
        self.fc1 = nn.Linear(7 * 7 * 50, 500)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


@WRONG("the kernels are 3 x 3")
class Three(Student):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 3), nn.Conv2d(20, 50, 3)
        self.fc1 = nn.Linear(5 * 5 * 50, 500)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


@WRONG("6 and 16 kernels instead of 20 and 50")
class LeNet5(Student):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.fc1 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Linear(256, 500)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x).relu(), 2)
        x = F.max_pool2d(self.conv2(x).relu(), 2)
        return self.fc2(self.fc1(x.flatten(1)).relu())


@WRONG("tanh instead of ReLU")
class Tanh(Student):
    def forward(self, x):
        x = F.max_pool2d(self.conv1(x).tanh(), 2)
        x = F.max_pool2d(self.conv2(x).tanh(), 2)
        return self.fc2(self.fc1(x.flatten(1)).tanh())


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
