import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("binary_accuracy")


@WRONG("logits [batch, 1] are compared with every label")
def broadcasts(logits, labels):
    return ((torch.sigmoid(logits) > 0.5).long() == labels).float().mean().item()


@WRONG("the logits are compared with 0.5")
def half(logits, labels):
    return ((logits.view(-1) > 0.5).long() == labels).sum().item() / len(labels)


@WRONG("the sigmoid is compared with 0")
def positive(logits, labels):
    return ((torch.sigmoid(logits.flatten()) > 0).long() == labels).float().mean().item()


@WRONG("the error rate instead of the accuracy")
def errors(logits, labels):
    return 1 - ((logits.flatten() > 0).long() == labels).float().mean().item()


@WRONG("the count is not divided by the number of samples")
def count(logits, labels):
    return ((logits.flatten() > 0) == labels).sum().item()


@WRONG("only true positives are counted")
def positives(logits, labels):
    return ((logits.flatten() > 0) & (labels == 1)).float().mean().item()


@WRONG("precision instead of accuracy")
def precision(logits, labels):
    predicted = logits.flatten() > 0
    return labels[predicted].float().mean().item()


@WRONG("recall instead of accuracy")
def recall(logits, labels):
    predicted = (logits.flatten() > 0).float()
    return predicted[labels == 1].mean().item()


@WRONG("per cent instead of a share")
def per_cent(logits, labels):
    return 100.0 * ((logits.flatten() > 0) == labels).sum().item() / labels.numel()


@WRONG("only whether all are right is returned")
def all_right(logits, labels):
    return torch.equal((logits.flatten() > 0).long(), labels)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
