"""The gradient of cross-entropy.

For logits [batch, classes] and labels [batch], write `cross_entropy_gradient(logits, labels)`: the gradient of the
mean cross-entropy with respect to the logits, [batch, classes], from its formula and without autograd. Differentiate
logsumexp(x) - x[label] for one sample: the first part gives the softmax, the second takes 1 off the right class.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: gradient descent on the cross-entropy; cheat-sheet: autograd"
WITHOUT = ("backward", "grad", "autograd", "requires_grad_", "vjp", "cross_entropy")
HINTS = (
    "One sample: d logsumexp(x) / d x[k] = softmax(x)[k], and d x[label] / d x[k] is 1 for k = label.",
    "So the gradient is softmax minus one-hot; and the mean over the batch?",
    "`g = logits.softmax(1)`, `g[torch.arange(len(labels)), labels] -= 1`, `return g / len(labels)`.",
)


def cross_entropy_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the gradient of the mean cross-entropy [batch, classes].

    Args:
        logits: [batch, classes].
        labels: the right classes [batch] (int64).
    """
    ### BEGIN SOLUTION
    gradient = logits.softmax(dim=1)
    gradient[torch.arange(len(labels)), labels] -= 1
    return gradient / len(labels)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    batch, classes = draw.size(2, 5), draw.size(3, 6)
    return {"logits": draw.normal(batch, classes), "labels": draw.labels(batch, classes)}


def _gradient(logits: Tensor, labels: Tensor, axis: int = 1, times: float = 1.0) -> Tensor:
    return logits.softmax(axis) - times * torch.eye(logits.shape[1])[labels]


CHECK = Check(
    case=_case,
    faults=(
        Fault("not divided by the batch", "The mean over the batch divides by its size.", _gradient),
        Fault(
            "divided by all entries",
            "The mean runs over samples, not over classes: divide by the batch's size.",
            lambda x, y: _gradient(x, y) / x.numel(),
        ),
        Fault(
            "divided by the number of classes",
            "The mean runs over samples: divide by the batch's size.",
            lambda x, y: _gradient(x, y) / x.shape[1],
        ),
        Fault(
            "the sign is flipped",
            "softmax minus one-hot: the right class has a negative gradient.",
            lambda x, y: -_gradient(x, y) / len(y),
        ),
        Fault(
            "the right class is not taken off",
            "The part - x[label] gives -1 at the right class.",
            lambda x, y: x.softmax(1) / len(y),
        ),
        Fault(
            "1 is added to the right class",
            "x[label] has a minus in the loss.",
            lambda x, y: _gradient(x, y, times=-1) / len(y),
        ),
        Fault(
            "the softmax runs over the batch",
            "The classes of one sample compete: axis 1.",
            lambda x, y: _gradient(x, y, axis=0) / len(y),
        ),
        Fault(
            "1 is taken off whole columns",
            "`g[:, labels] -= 1` reaches every row: pair row i with label i.",
            lambda x, y: (x.softmax(1) - torch.eye(x.shape[1])[y].amax(0)) / len(y),
        ),
        Fault(
            "one-hot is multiplied instead of taken off",
            "softmax minus one-hot.",
            lambda x, y: x.softmax(1) * torch.eye(x.shape[1])[y] / len(y),
        ),
        Fault(
            "1 is taken off before the division by the batch",
            "The whole difference is divided, not the softmax alone.",
            lambda x, y: x.softmax(1) / len(y) - torch.eye(x.shape[1])[y],
        ),
        Fault(
            "the logits stand in place of the softmax",
            "The derivative of logsumexp is the softmax.",
            lambda x, y: (x - torch.eye(x.shape[1])[y]) / len(y),
        ),
    ),
)
