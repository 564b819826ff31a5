import pytest
import torch
from torch import nn

from gradlab.learn.exercises.projection_network import Encoder
from tests.learn.mutants import Mutants

WRONG = Mutants("projection_network")


class Student(nn.Module):
    def __init__(self, hidden_dim):
        super().__init__()
        self.encoder = Encoder(4 * hidden_dim)
        self.fc1, self.fc2 = nn.Linear(4 * hidden_dim, 4 * hidden_dim), nn.Linear(4 * hidden_dim, hidden_dim)

    def features(self, x):
        return self.encoder(x)

    def project(self, h):
        return self.fc2(torch.relu(self.fc1(h)))

    def forward(self, x):
        return self.project(self.encoder(x))


@WRONG("the head has no activation")
class Linear(Student):
    def project(self, h):
        return self.fc2(self.fc1(h))


@WRONG("there is an activation after the head")
class ReluLast(Student):
    def project(self, h):
        return torch.relu(super().project(h))


@WRONG("there is an activation before the head")
class ReluFirst(Student):
    def project(self, h):
        return super().project(h.clamp(min=0))


@WRONG("the head narrows in its first layer")
class Narrows(Student):
    def __init__(self, hidden_dim):
        super().__init__(hidden_dim)
        self.fc1, self.fc2 = nn.Linear(4 * hidden_dim, hidden_dim), nn.Linear(hidden_dim, hidden_dim)


@WRONG("the encoder is not four times as wide")
class NotWide(Student):
    def __init__(self, hidden_dim):
        super().__init__(hidden_dim)
        self.encoder = Encoder(hidden_dim)
        self.fc1, self.fc2 = nn.Linear(hidden_dim, hidden_dim), nn.Linear(hidden_dim, hidden_dim)


@WRONG("the head has a single layer")
class OneLayer(Student):
    def __init__(self, hidden_dim):
        super().__init__(hidden_dim)
        del self.fc1

    def project(self, h):
        return self.fc2(h)


@WRONG("the features are those after the head")
class Projected(Student):
    def features(self, x):
        return self(x)


@WRONG("the features are those inside the head")
class Inside(Student):
    def features(self, x):
        return self.fc1(self.encoder(x))


@WRONG("the head is not used")
class NoHead(Student):
    def forward(self, x):
        return self.encoder(x)


@WRONG("z is normalised")
class Unit(Student):
    def project(self, h):
        z = super().project(h)
        return z / z.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
