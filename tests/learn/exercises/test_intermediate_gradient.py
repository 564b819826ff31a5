import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("intermediate_gradient")


@WRONG("the input is made to record and gets a gradient")
def no_copy(x):
    x.requires_grad = True
    y = x * 2
    y.retain_grad()
    torch.sum(y**3).backward()
    return y.grad, x.grad


@WRONG("the input is made to record")
def grad_of_the_input(x):
    x.requires_grad_(True)
    y = x + x
    out = y.pow(3).sum()
    gy = torch.autograd.grad(out, y, retain_graph=True)[0]
    return gy, torch.autograd.grad(out, x)[0]


@WRONG("the gradient of y was not kept")
def not_retained(x):
    import warnings

    leaf = x.detach().clone().requires_grad_()
    y = 2 * leaf
    y.pow(3).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return y.grad, leaf.grad


@WRONG("both are the gradient of x")
def same_twice(x):
    leaf = x.clone().requires_grad_()
    ((2 * leaf) ** 3).sum().backward()
    return leaf.grad, leaf.grad


@WRONG("both are the gradient of y")
def only_y(x):
    y = (2 * x).requires_grad_()
    (y**3).sum().backward()
    return y.grad, y.grad


@WRONG("the two gradients are swapped")
def order(x):
    leaf = x.clone().requires_grad_()
    y = 2 * leaf
    gx, gy = torch.autograd.grad((y**3).sum(), (leaf, y))
    return gx, gy


@WRONG("the gradient was accumulated twice")
def twice(x):
    leaf = x.clone().requires_grad_()
    y = 2 * leaf
    gy = torch.autograd.grad((y**3).sum(), y, retain_graph=True)[0]
    (y**3).sum().backward(retain_graph=True)
    (y**3).sum().backward()
    return gy, leaf.grad


@WRONG("the mean instead of the sum was differentiated")
def mean(x):
    leaf = x.clone().requires_grad_()
    y = 2 * leaf
    return torch.autograd.grad((y**3).mean(), (y, leaf))


@WRONG("y is cut off from x")
def detached(x):
    leaf = x.clone().requires_grad_()
    y = (2 * leaf).detach().requires_grad_()
    (y**3).sum().backward()
    return y.grad, leaf.grad


@WRONG("the values are returned instead of the gradients")
def values(x):
    leaf = x.clone().requires_grad_()
    y = 2 * leaf
    (y**3).sum().backward()
    return y.detach(), leaf.detach()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
