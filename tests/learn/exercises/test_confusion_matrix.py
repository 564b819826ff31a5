import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("confusion_matrix")


@WRONG("rows and columns are swapped")
def predicted_first(predicted, labels, classes):
    m = torch.zeros(classes, classes, dtype=torch.long)
    for p, t in zip(predicted, labels, strict=False):
        m[p, t] += 1
    return m


@WRONG("each pair counts once only")
def fancy_index(predicted, labels, classes):
    m = torch.zeros(classes, classes, dtype=torch.long)
    m[labels, predicted] += 1
    return m


@WRONG("shares instead of counts")
def shares(predicted, labels, classes):
    return torch.bincount(labels * classes + predicted, minlength=classes**2).view(classes, classes) / len(labels)


@WRONG("the rows are divided by their sums")
def normalised(predicted, labels, classes):
    m = torch.bincount(labels * classes + predicted, minlength=classes**2).view(classes, classes).float()
    return m / m.sum(dim=1)[:, None]


@WRONG("only right predictions are counted")
def diagonal(predicted, labels, classes):
    m = torch.zeros(classes, classes, dtype=torch.long)
    for p, t in zip(predicted.tolist(), labels.tolist(), strict=False):
        m[t, p] += p == t
    return m


@WRONG("right predictions are left out")
def errors_only(predicted, labels, classes):
    m = torch.zeros(classes, classes, dtype=torch.long)
    for p, t in zip(predicted.tolist(), labels.tolist(), strict=False):
        if p != t:
            m[t, p] += 1
    return m


@WRONG("the counts are floating-point numbers")
def floats(predicted, labels, classes):
    m = torch.zeros(classes, classes)
    for p, t in zip(predicted.tolist(), labels.tolist(), strict=False):
        m[t, p] += 1
    return m


@WRONG("the matrix is not square")
def flat(predicted, labels, classes):
    return torch.bincount(labels * classes + predicted, minlength=classes * classes)


@WRONG("the matrix is made symmetric")
def symmetric(predicted, labels, classes):
    m = torch.bincount(labels * classes + predicted, minlength=classes**2).view(classes, classes)
    return m + m.T


@WRONG("only the accuracy is returned")
def accuracy(predicted, labels, classes):
    return (predicted == labels).sum() / len(labels)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
