"""The confusion matrix.

Write `confusion_matrix(predicted, labels, classes)` for two tensors [count] of class numbers (int64): whole numbers
[classes, classes], where row t and column p hold how many samples of class t were predicted as class p.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practicals, introduction: true and false positives; slides: winner classes"
HINTS = (
    "Each pair (label, prediction) has one place in the matrix: number it by a single whole number.",
    "`labels * classes + predicted` numbers the places row by row; `torch.bincount` counts how often each occurs.",
    "`torch.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)`.",
)


def confusion_matrix(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Returns counts [classes, classes] (int64), a row for each true class.

    Args:
        predicted: [count] (int64).
        labels: [count] (int64).
        classes: how many there are.
    """
    ### BEGIN SOLUTION
    return torch.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    classes, count = draw.size(3, 5), draw.size(6, 20)
    predicted, labels = draw.labels(count, classes), draw.labels(count, classes - 1)
    predicted[:4] = torch.tensor([0, 1, 1, 2])
    labels[:4] = torch.tensor([0, 0, 0, 1])
    return {"predicted": predicted, "labels": labels, "classes": classes}


def _matrix(rows: Tensor, columns: Tensor, classes: int) -> Tensor:
    return torch.eye(classes, dtype=torch.long)[rows].T @ torch.eye(classes, dtype=torch.long)[columns]


CHECK = Check(
    case=_case,
    faults=(
        Fault("rows and columns are swapped", "The true class is the row.", _matrix),
        Fault(
            "each pair counts once only",
            "`m[labels, predicted] += 1` adds once for a pair that occurs often: count with `bincount`.",
            lambda p, t, c: _matrix(t, p, c).clamp(max=1),
        ),
        Fault(
            "shares instead of counts",
            "Counts are asked for: do not divide.",
            lambda p, t, c: _matrix(t, p, c) / len(t),
        ),
        Fault(
            "the rows are divided by their sums",
            "Counts are asked for: do not divide.",
            lambda p, t, c: _matrix(t, p, c) / _matrix(t, p, c).sum(1, keepdim=True),
        ),
        Fault(
            "only right predictions are counted",
            "Mistakes stand off the diagonal.",
            lambda p, t, c: torch.diag(_matrix(t, p, c).diag()),
        ),
        Fault(
            "right predictions are left out",
            "They stand on the diagonal.",
            lambda p, t, c: _matrix(t, p, c) - torch.diag(_matrix(t, p, c).diag()),
        ),
        Fault(
            "as many rows as the largest class asks for",
            "Classes without a sample have a row of zeros: use `classes`.",
            lambda p, t, c: _matrix(t, p, c)[: int(t.max()) + 1, : int(p.max()) + 1],
        ),
        Fault(
            "the counts are floating-point numbers",
            "Counts are whole numbers.",
            lambda p, t, c: _matrix(t, p, c).float(),
        ),
        Fault(
            "the matrix is not square",
            "Reshape the counts to [classes, classes].",
            lambda p, t, c: _matrix(t, p, c).flatten(),
        ),
        Fault(
            "the matrix is made symmetric",
            "Class 1 taken for 2 and 2 taken for 1 are different mistakes.",
            lambda p, t, c: _matrix(t, p, c) + _matrix(p, t, c),
        ),
        Fault(
            "only the accuracy is returned",
            "A matrix [classes, classes] is asked for.",
            lambda p, t, c: (p == t).float().mean(),
        ),
    ),
)
