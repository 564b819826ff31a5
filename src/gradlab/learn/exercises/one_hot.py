"""One-hot vectors.

Write `one_hot(labels, classes)` for labels [batch] (int64, from 0 to classes - 1): float32 [batch, classes], a row for
each sample with a 1 in the column of its label and 0 elsewhere.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: class scores as tensors, boolean results; cheat-sheet: CrossEntropyLoss"
WITHOUT = ("one_hot",)
HINTS = (
    "Compare each label with each class number: which shapes broadcast to [batch, classes]?",
    "`torch.arange(classes)` has the class numbers; `labels[:, None]` is a column.",
    "`(labels[:, None] == torch.arange(classes)).float()`. Rows of `torch.eye(classes)` do it as well.",
)


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Returns float32 rows [batch, classes] with a single 1 each.

    Args:
        labels: class numbers [batch] (int64).
        classes: how many there are.
    """
    ### BEGIN SOLUTION
    return (labels[:, None] == torch.arange(classes)).float()
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    classes = draw.size(4, 7)
    labels = draw.labels(draw.size(3, 6), classes - 1)
    labels[0], labels[1], labels[2] = 0, 2, 2
    return {"labels": labels, "classes": classes}


def _right(labels: Tensor, classes: int) -> Tensor:
    return torch.eye(classes)[labels]


CHECK = Check(
    case=_case,
    faults=(
        Fault("the rows are classes", "A row for each sample: [batch, classes].", lambda y, c: _right(y, c).T),
        Fault("the classes are counted from 1", "The first class is number 0.", lambda y, c: _right((y - 1) % c, c)),
        Fault("the column after the label is marked", "Class 0 is column 0.", lambda y, c: _right((y + 1) % c, c)),
        Fault(
            "as many columns as the largest label asks for",
            "The last classes may have no sample here: use `classes`.",
            lambda y, c: _right(y, int(y.max()) + 1),
        ),
        Fault("the columns are truth values", "float32 is asked for: `.float()`.", lambda y, c: _right(y, c).bool()),
        Fault("the columns are whole numbers", "float32 is asked for: `.float()`.", lambda y, c: _right(y, c).long()),
        Fault("zeros and ones are swapped", "A single 1 a row.", lambda y, c: 1 - _right(y, c)),
        Fault(
            "the label stands in place of the 1", "The column is marked by 1.", lambda y, c: _right(y, c) * y[:, None]
        ),
        Fault("all samples share one row", "Each sample has a row of its own.", lambda y, c: _right(y, c).sum(0)),
        Fault(
            "whole columns are marked",
            "`out[:, labels] = 1` marks these columns in every row: pair each row with its label.",
            lambda y, c: _right(y, c).amax(0).repeat(len(y), 1),
        ),
    ),
)
