"""One step of logistic regression.

A linear classifier has a weight [classes, inputs] and a bias [classes]. Write
`logistic_regression_step(weight, bias, images, labels, lr)`: flatten the images [batch, ...], compute the logits, the
gradient of the mean cross-entropy, and return the new weight and the new bias after one step of gradient descent.
Nothing that was handed in may change.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: the model, iterative training; practical 5: logistic regression"
HINTS = (
    "logits = x W^T + b; the gradient with respect to the logits is (softmax - one-hot) / batch.",
    "The weight's gradient is (that gradient)^T x, the bias's its sum over the batch.",
    "`g = (logits.softmax(1) - torch.eye(classes)[labels]) / len(x)`; `weight - lr * g.T @ x`, `bias - lr * g.sum(0)`.",
)


def logistic_regression_step(
    weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    """Returns the weight [classes, inputs] and the bias [classes] after one step.

    Args:
        weight: [classes, inputs].
        bias: [classes].
        images: [batch, ...] with `inputs` numbers each.
        labels: [batch] (int64).
        lr: learning rate.
    """
    ### BEGIN SOLUTION
    x = images.flatten(1)
    logits = x @ weight.T + bias
    gradient = (logits.softmax(dim=1) - torch.eye(len(bias))[labels]) / len(x)
    return weight - lr * gradient.T @ x, bias - lr * gradient.sum(0)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    classes, side, batch = draw.size(3, 5), draw.size(2, 3), draw.size(2, 6)
    return {
        "weight": draw.normal(classes, 2 * side),
        "bias": draw.normal(classes),
        "images": draw.normal(batch, 1, side, 2),
        "labels": draw.labels(batch, classes),
        "lr": draw.choice((0.5, 0.1, 2.0)),
    }


def _step(
    weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, lr: float, scale: float = 1.0, bias_scale: float = 1.0
) -> tuple[Tensor, Tensor]:
    x = images.flatten(1)
    gradient = ((x @ weight.T + bias).softmax(1) - torch.eye(len(bias))[labels]) / len(x)
    return weight - lr * scale * gradient.T @ x, bias - lr * bias_scale * gradient.sum(0)


def _no_bias(weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    moved = _step(weight, torch.zeros_like(bias), images, labels, lr)
    return moved[0], bias + moved[1]


def _column_softmax(weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    x = images.flatten(1)
    gradient = ((x @ weight.T + bias).softmax(0) - torch.eye(len(bias))[labels]) / len(x)
    return weight - lr * gradient.T @ x, bias - lr * gradient.sum(0)


def _in_place(weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    moved = _step(weight, bias, images, labels, lr)
    return weight.copy_(moved[0]), bias.copy_(moved[1])


def _squared(weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    x = images.flatten(1)
    gradient = (x @ weight.T + bias - torch.eye(len(bias))[labels]) / len(x)
    return weight - lr * gradient.T @ x, bias - lr * gradient.sum(0)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the step goes uphill",
            "Take lr times the gradient off.",
            lambda w, b, x, y, lr: _step(w, b, x, y, lr, -1, -1),
        ),
        Fault(
            "the gradient is summed over the batch",
            "The mean cross-entropy divides by the batch's size.",
            lambda w, b, x, y, lr: _step(w, b, x, y, lr, len(x), len(x)),
        ),
        Fault(
            "the bias's gradient is averaged twice",
            "Its terms are divided by the batch already: sum them.",
            lambda w, b, x, y, lr: _step(w, b, x, y, lr, 1, 1 / len(x)),
        ),
        Fault(
            "the bias does not move",
            "The bias is a parameter as well.",
            lambda w, b, x, y, lr: _step(w, b, x, y, lr, 1, 0),
        ),
        Fault(
            "the weight does not move",
            "Both parameters take a step.",
            lambda w, b, x, y, lr: _step(w, b, x, y, lr, 0, 1),
        ),
        Fault("the bias is missing from the logits", "logits = x W^T + b.", _no_bias),
        Fault("the softmax runs over the batch", "The classes of one sample compete: axis 1.", _column_softmax),
        Fault(
            "the learning rate is missing",
            "The step is lr times the gradient.",
            lambda w, b, x, y, lr: _step(w, b, x, y, 1.0),
        ),
        Fault("the parameters are changed in place", "Return new tensors.", _in_place),
        Fault(
            "the softmax is missing",
            "The gradient of the cross-entropy is softmax minus one-hot, not logits minus one-hot.",
            _squared,
        ),
        Fault(
            "the gradients are returned instead of the parameters",
            "Return the parameters after the step.",
            lambda w, b, x, y, lr: tuple(p - q for p, q in zip((w, b), _step(w, b, x, y, 1.0), strict=True)),
        ),
    ),
)
