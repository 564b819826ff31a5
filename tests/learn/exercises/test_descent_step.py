import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("descent_step")


def step(parameters, gradients, lr):
    for p, g in zip(parameters, gradients, strict=False):
        p.data = p.data - lr * g


@WRONG("the step goes uphill")
def plus(parameters, loss, lr):
    gradients = torch.autograd.grad(loss, parameters)
    step(parameters, gradients, -lr)
    for p in parameters:
        p.grad = None


@WRONG("gradients of the step before are added")
def never_zeroed(parameters, loss, lr):
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p.sub_(lr * p.grad)


@WRONG("gradients from before the first step count")
def zeroed_afterwards(parameters, loss, lr):
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= lr * p.grad
            p.grad = None


@WRONG("the gradients are left behind")
def zeroed_before(parameters, loss, lr):
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p.data -= lr * p.grad


@WRONG("the gradients are zero instead of gone")
def zeros(parameters, loss, lr):
    for p in parameters:
        p.grad.zero_()
    loss.backward()
    for p in parameters:
        p.data -= lr * p.grad
        p.grad.zero_()


@WRONG("the step is recorded by autograd")
def no_no_grad(parameters, loss, lr):
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p -= lr * p.grad
        p.grad = None


@WRONG("the parameters do not change")
def rebinds(parameters, loss, lr):
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        g, p.grad = p.grad, None
        p = p - lr * g


@WRONG("the learning rate is missing")
def no_rate(parameters, loss, lr):
    step(parameters, torch.autograd.grad(loss, parameters), 1.0)
    for p in parameters:
        p.grad = None


@WRONG("only the first parameter is moved")
def first_only(parameters, loss, lr):
    step(parameters[:1], torch.autograd.grad(loss, parameters[:1]), lr)
    for p in parameters:
        p.grad = None


@WRONG("the parameters shrink as well")
def decays(parameters, loss, lr):
    gradients = torch.autograd.grad(loss, parameters)
    step(parameters, [g + p.detach() for g, p in zip(gradients, parameters, strict=False)], lr)
    for p in parameters:
        p.grad = None


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
