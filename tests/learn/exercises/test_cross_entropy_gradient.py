import pytest
import torch
from torch.nn import functional

from tests.learn.mutants import Mutants

WRONG = Mutants("cross_entropy_gradient")


def autograd(logits, labels, reduction):
    x = logits.clone().requires_grad_()
    functional.cross_entropy(x, labels, reduction=reduction).backward()
    return x.grad


@WRONG("not divided by the batch")
def of_the_sum(logits, labels):
    return autograd(logits, labels, "sum")


@WRONG("divided by all entries")
def of_numel(logits, labels):
    return autograd(logits, labels, "sum") / torch.numel(logits)


@WRONG("divided by the number of classes")
def of_classes(logits, labels):
    return autograd(logits, labels, "sum") / logits.size(1)


@WRONG("the sign is flipped")
def negative(logits, labels):
    return (functional.one_hot(labels, logits.shape[1]) - logits.softmax(1)) / logits.shape[0]


@WRONG("the right class is not taken off")
def softmax_only(logits, labels):
    return torch.exp(logits - logits.logsumexp(1, keepdim=True)) / len(logits)


@WRONG("1 is added to the right class")
def plus(logits, labels):
    g = logits.softmax(1)
    g[range(len(labels)), labels] += 1
    return g / len(labels)


@WRONG("the softmax runs over the batch")
def wrong_axis(logits, labels):
    g = torch.softmax(logits, 0)
    g[range(len(labels)), labels] -= 1
    return g / len(labels)


@WRONG("1 is taken off whole columns")
def columns(logits, labels):
    g = torch.softmax(logits, 1)
    g[:, labels] -= 1
    return g / len(labels)


@WRONG("1 is taken off before the division by the batch")
def order(logits, labels):
    g = torch.softmax(logits, 1) / len(labels)
    g[torch.arange(len(labels)), labels] -= 1
    return g


@WRONG("the logits stand in place of the softmax")
def no_softmax(logits, labels):
    g = logits.clone()
    g[torch.arange(len(labels)), labels] -= 1
    return g / len(labels)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
