import pytest
import torch
from torch.nn import functional

from tests.learn.mutants import Mutants

WRONG = Mutants("cross_entropy")


@WRONG("large logits give nan or inf")
def naive(logits, labels):
    p = torch.exp(logits) / torch.exp(logits).sum(dim=1, keepdim=True)
    return -torch.log(p[torch.arange(len(labels)), labels]).mean()


@WRONG("the sum instead of the mean")
def total(logits, labels):
    return functional.cross_entropy(logits, labels, reduction="sum")


@WRONG("one loss for each sample is returned")
def per_sample(logits, labels):
    return functional.cross_entropy(logits, labels, reduction="none")


@WRONG("the sign is flipped")
def negative(logits, labels):
    return functional.log_softmax(logits, 1)[range(len(labels)), labels].mean()


@WRONG("the logits are not normalised")
def nll_of_logits(logits, labels):
    return functional.nll_loss(logits, labels)


@WRONG("the softmax is applied twice")
def twice(logits, labels):
    return functional.cross_entropy(torch.softmax(logits, dim=-1), labels)


@WRONG("every class counts instead of the right one")
def all_classes(logits, labels):
    return -functional.log_softmax(logits, 1).mean()


@WRONG("every row meets every label")
def cross(logits, labels):
    return -functional.log_softmax(logits, 1)[:, labels].mean()


@WRONG("the probability instead of its logarithm")
def no_log(logits, labels):
    return functional.nll_loss(logits.softmax(1), labels)


@WRONG("the logarithm is taken of the mean probability")
def log_of_mean(logits, labels):
    return -torch.log(logits.softmax(1)[torch.arange(len(labels)), labels].mean())


@WRONG("the exponentials are summed over the batch")
def wrong_axis(logits, labels):
    return (torch.logsumexp(logits, 0)[labels] - logits[torch.arange(len(labels)), labels]).mean()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
