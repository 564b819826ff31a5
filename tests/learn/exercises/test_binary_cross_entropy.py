import pytest
import torch
from torch.nn import functional

from tests.learn.mutants import Mutants

WRONG = Mutants("binary_cross_entropy")


@WRONG("large logits give nan or inf")
def formula(logits, labels):
    p = 1 / (1 + torch.exp(-logits))
    return torch.mean(-labels * torch.log(p) - (1 - labels) * torch.log(1 - p))


@WRONG("the sum instead of the mean")
def total(logits, labels):
    return functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum")


@WRONG("one loss for each sample is returned")
def no_mean(logits, labels):
    return -labels * functional.logsigmoid(logits) - (1 - labels) * functional.logsigmoid(-logits)


@WRONG("the sign is flipped")
def negative(logits, labels):
    return (labels * functional.logsigmoid(logits) + (1 - labels) * functional.logsigmoid(-logits)).mean()


@WRONG("the term of class 0 is missing")
def half(logits, labels):
    return torch.mean(labels * functional.softplus(-logits))


@WRONG("the labels are swapped")
def swapped(logits, labels):
    return -(labels * functional.logsigmoid(-logits) + (1 - labels) * functional.logsigmoid(logits)).mean()


@WRONG("the sigmoid is applied twice")
def twice(logits, labels):
    return functional.binary_cross_entropy_with_logits(torch.sigmoid(logits), labels)


@WRONG("squared error instead of cross-entropy")
def brier(logits, labels):
    return functional.mse_loss(torch.sigmoid(logits), labels)


@WRONG("logarithm to the base 2")
def bits(logits, labels):
    return functional.binary_cross_entropy_with_logits(logits, labels) / torch.log(torch.tensor(2.0))


@WRONG("the probabilities are clamped")
def clamped(logits, labels):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return -(labels * p.log() + (1 - labels) * torch.log1p(-p)).mean()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
