import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("one_hot")


@WRONG("the rows are classes")
def transposed(labels, classes):
    return (torch.arange(classes)[:, None] == labels).float()


@WRONG("the classes are counted from 1")
def from_one(labels, classes):
    out = torch.zeros(len(labels), classes)
    out[torch.arange(len(labels)), labels - 1] = 1
    return out


@WRONG("the column after the label is marked")
def next_column(labels, classes):
    return torch.eye(classes).roll(1, 1)[labels]


@WRONG("as many columns as the largest label asks for")
def guesses_classes(labels, classes):
    return (labels[:, None] == torch.arange(labels.max() + 1)).float()


@WRONG("the columns are truth values")
def booleans(labels, classes):
    return labels.unsqueeze(1) == torch.arange(classes)


@WRONG("the columns are whole numbers")
def whole(labels, classes):
    return torch.nn.functional.one_hot(labels, classes)


@WRONG("zeros and ones are swapped")
def inverted(labels, classes):
    return (labels.unsqueeze(1) != torch.arange(classes)).float()


@WRONG("the label stands in place of the 1")
def writes_the_label(labels, classes):
    out = torch.zeros(len(labels), classes)
    for i, y in enumerate(labels.tolist()):
        out[i, y] = y
    return out


@WRONG("whole columns are marked")
def all_rows(labels, classes):
    out = torch.zeros(len(labels), classes)
    out[:, labels] = 1
    return out


@WRONG("all samples share one row")
def counts(labels, classes):
    return torch.bincount(labels, minlength=classes).float()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
