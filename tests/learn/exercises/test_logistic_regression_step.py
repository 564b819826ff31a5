import pytest
import torch
from torch.nn import functional

from tests.learn.mutants import Mutants

WRONG = Mutants("logistic_regression_step")


def autograd(weight, bias, images, labels, reduction="mean"):
    w, b = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    functional.cross_entropy(functional.linear(images.flatten(1), w, b), labels, reduction=reduction).backward()
    return w.grad, b.grad


@WRONG("the step goes uphill")
def uphill(weight, bias, images, labels, lr):
    gw, gb = autograd(weight, bias, images, labels)
    return weight + lr * gw, bias + lr * gb


@WRONG("the gradient is summed over the batch")
def total(weight, bias, images, labels, lr):
    gw, gb = autograd(weight, bias, images, labels, "sum")
    return weight - lr * gw, bias - lr * gb


@WRONG("the bias's gradient is averaged twice")
def mean_of_mean(weight, bias, images, labels, lr):
    x = images.reshape(len(images), -1)
    g = ((x @ weight.T + bias).softmax(1) - functional.one_hot(labels, len(bias))) / len(x)
    return weight - lr * g.T @ x, bias - lr * g.mean(0)


@WRONG("the bias does not move")
def no_bias_step(weight, bias, images, labels, lr):
    return weight - lr * autograd(weight, bias, images, labels)[0], bias


@WRONG("the weight does not move")
def no_weight_step(weight, bias, images, labels, lr):
    return weight, bias - lr * autograd(weight, bias, images, labels)[1]


@WRONG("the bias is missing from the logits")
def no_bias(weight, bias, images, labels, lr):
    x = images.view(images.size(0), -1)
    g = ((x @ weight.T).softmax(1) - functional.one_hot(labels, len(bias))) / len(x)
    return weight - lr * g.T @ x, bias - lr * g.sum(0)


@WRONG("the softmax runs over the batch")
def wrong_axis(weight, bias, images, labels, lr):
    x = images.view(images.size(0), -1)
    g = (torch.softmax(x @ weight.T + bias, 0) - functional.one_hot(labels, len(bias))) / len(x)
    return weight - lr * g.T @ x, bias - lr * g.sum(0)


@WRONG("the learning rate is missing")
def no_rate(weight, bias, images, labels, lr):
    gw, gb = autograd(weight, bias, images, labels)
    return weight - gw, bias - gb


@WRONG("the parameters are changed in place")
def in_place(weight, bias, images, labels, lr):
    gw, gb = autograd(weight, bias, images, labels)
    weight -= lr * gw
    bias -= lr * gb
    return weight, bias


@WRONG("the gradients are returned instead of the parameters")
def only_gradients(weight, bias, images, labels, lr):
    return autograd(weight, bias, images, labels)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
