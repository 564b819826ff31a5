import pytest
import torch

from gradlab.learn.exercises.sgd_momentum import OptimizerTemplate
from tests.learn.mutants import Mutants

WRONG = Mutants("sgd_momentum")


class Student(OptimizerTemplate):
    """What a student starts from."""

    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, lr)
        self.momentum = momentum
        self.param_momentum = {p: torch.zeros_like(p.data) for p in self.params}


@WRONG("momentum lacks the factor 1 - beta")
class AsInTorch(Student):
    def update_param(self, p):
        self.param_momentum[p].mul_(self.momentum).add_(p.grad)
        p.data.add_(self.param_momentum[p], alpha=-self.lr)


@WRONG("beta and 1 - beta are swapped")
class Swapped(Student):
    def update_param(self, p):
        self.param_momentum[p] += self.momentum * (p.grad - self.param_momentum[p])
        p.data -= self.lr * self.param_momentum[p]


@WRONG("the momentum is forgotten after each step")
class LocalName(Student):
    def update_param(self, p):
        m = self.param_momentum[p]
        m = self.momentum * m + (1 - self.momentum) * p.grad
        p.data -= self.lr * m


@WRONG("the momentum is not used")
class PlainDescent(Student):
    def update_param(self, p):
        p.data = p.data - self.lr * p.grad


@WRONG("the step goes uphill")
class Uphill(Student):
    def update_param(self, p):
        self.param_momentum[p] = torch.lerp(p.grad, self.param_momentum[p], self.momentum)
        p.data += self.lr * self.param_momentum[p]


@WRONG("the step uses the average from before")
class StepsFirst(Student):
    def update_param(self, p):
        p.data -= self.lr * self.param_momentum[p]
        self.param_momentum[p] = self.momentum * self.param_momentum[p] + (1 - self.momentum) * p.grad


@WRONG("the learning rate is missing")
class NoRate(Student):
    def update_param(self, p):
        self.param_momentum[p].mul_(self.momentum).add_((1 - self.momentum) * p.grad)
        p.data.sub_(self.param_momentum[p])


@WRONG("the learning rate counts twice")
class RateInBoth(Student):
    def update_param(self, p):
        step = self.momentum * self.param_momentum[p] + self.lr * (1 - self.momentum) * p.grad
        self.param_momentum[p] = step
        p.data -= self.lr * step


@WRONG("all parameters share one average")
class Shared(Student):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, lr, momentum)
        self.m = 0

    def update_param(self, p):
        self.m = self.momentum * self.m + (1 - self.momentum) * p.grad
        p.data -= self.lr * self.m


@WRONG("the parameter does not change")
class Rebinds(Student):
    def update_param(self, p):
        self.param_momentum[p] = self.momentum * self.param_momentum[p] + (1 - self.momentum) * p.grad
        p = p - self.lr * self.param_momentum[p]


@WRONG("the update is recorded by autograd")
class Recorded(Student):
    def update_param(self, p):
        self.param_momentum[p] = self.momentum * self.param_momentum[p] + (1 - self.momentum) * p.grad
        p -= self.lr * self.param_momentum[p]


@WRONG("the gradient is changed in place")
class SpoilsTheGradient(Student):
    def update_param(self, p):
        p.grad.mul_(1 - self.momentum).add_(self.momentum * self.param_momentum[p])
        self.param_momentum[p] = p.grad.clone()
        p.data -= self.lr * p.grad


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
