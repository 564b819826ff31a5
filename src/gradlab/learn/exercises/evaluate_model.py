"""Accuracy of a model on a data set.

Write `evaluate_model(model, batches)`: the share of samples that the model classifies right, a Python float. The model
works in evaluation mode and without recording for autograd, and afterwards it is in the mode it was in before. The last
batch may be smaller than the others.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill

SOURCE = "practical 1, part 1: test_model; cheat-sheet: evaluate training and validation"
HINTS = (
    "Remember `model.training`, then `model.eval()`; at the end `model.train(remembered)`.",
    "Count right samples and all samples over the batches, and divide once.",
    "`with torch.no_grad():` around the loop; `right += (model(x).argmax(1) == y).sum().item()`.",
)


def evaluate_model(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Returns the accuracy in [0, 1].

    Args:
        model: gives logits [batch, classes].
        batches: pairs of images [batch, ...] and labels [batch] (int64).
    """
    ### BEGIN SOLUTION
    before = model.training
    model.eval()
    right, count = 0, 0
    with torch.no_grad():
        for images, labels in batches:
            right += int((model(images).argmax(dim=1) == labels).sum())
            count += len(labels)
    model.train(before)
    return right / count
    ### END SOLUTION


class _Network(nn.Module):
    """A linear classifier that takes the classes in reverse order while training."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, 3)
        self.modes: list[bool] = []
        self.recorded: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append(self.training)
        logits = self.layer(x)
        self.recorded.append(logits.requires_grad)
        return logits.flip(1) if self.training else logits


def _probe(evaluate: Any, images: list[Tensor], labels: list[Tensor], training: bool) -> dict[str, Any]:
    model = _Network(images[0].shape[1])
    fill(model)
    model.train(training)
    accuracy = evaluate(model, list(zip(images, labels, strict=True)))
    return {
        "in training mode while evaluating": any(model.modes),
        "recorded by autograd": any(model.recorded),
        "in training mode afterwards": model.training,
        "accuracy": accuracy,
    }


def _case(draw: Draw) -> dict[str, Any]:
    sizes = [draw.size(3, 5)] * draw.size(2, 3) + [draw.size(1, 2)]
    inputs = draw.size(2, 4)
    images = [draw.normal(size, inputs) for size in sizes]
    model = _Network(inputs)
    fill(model)
    labels = [model.eval()(x).argmax(1) for x in images]
    labels[-1][0] = (labels[-1][0] + 1) % 3
    labels[0][0] = (labels[0][0] + draw.whole(0, 1)) % 3
    return {"images": images, "labels": labels, "training": draw.case % 2 == 0}


def _accuracy(
    model: Any, batches: Any, mode: bool = False, after: bool | None = None, record: bool = False,
    mean: str = "samples", worst: bool = False,
) -> Any:  # fmt: skip
    before = model.training
    model.train(mode)
    right, sizes = [], []
    with torch.set_grad_enabled(record):
        for images, labels in batches:
            logits = -model(images) if worst else model(images)
            right.append(int((logits.argmax(1) == labels).sum()))
            sizes.append(len(labels))
    model.train(before if after is None else after)
    shares = [one / size for one, size in zip(right, sizes, strict=True)]
    means = {"samples": sum(right) / sum(sizes), "batches": sum(shares) / len(shares), "last": shares[-1]}
    return {**means, "count": sum(right), "full": sum(right) / (sizes[0] * len(sizes))}[mean]


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the model stays in evaluation mode",
            "Training goes on afterwards: put the mode back that the model had.",
            lambda m, b: _accuracy(m, b, after=False),
        ),
        Fault(
            "the model is always put into training mode",
            "Put the mode back that the model had before, whichever it was.",
            lambda m, b: _accuracy(m, b, after=True),
        ),
        Fault(
            "the evaluation is recorded by autograd",
            "`with torch.no_grad():` saves memory and time.",
            lambda m, b: _accuracy(m, b, record=True),
        ),
        Fault(
            "the model is evaluated in training mode",
            "Dropout and BatchNorm behave differently: `model.eval()`.",
            lambda m, b: _accuracy(m, b, mode=True, after=True),
        ),
        Fault(
            "the mode is left as it is",
            "Dropout and BatchNorm behave differently in training mode: `model.eval()` first.",
            lambda m, b: _accuracy(m, b, mode=m.training),
        ),
        Fault(
            "the batches' accuracies are averaged",
            "A small batch would weigh as much as a full one: count samples, divide once.",
            lambda m, b: _accuracy(m, b, mean="batches"),
        ),
        Fault(
            "every batch counts as a full one",
            "The last batch is smaller: add `len(labels)`.",
            lambda m, b: _accuracy(m, b, mean="full"),
        ),
        Fault("only the last batch counts", "Add up over all batches.", lambda m, b: _accuracy(m, b, mean="last")),
        Fault(
            "the number of right samples is returned",
            "Divide by the number of samples.",
            lambda m, b: _accuracy(m, b, mean="count"),
        ),
        Fault(
            "the error instead of the accuracy",
            "Count right samples.",
            lambda m, b: 1 - _accuracy(m, b),
        ),
        Fault(
            "the smallest logit is taken",
            "The predicted class has the largest logit.",
            lambda m, b: _accuracy(m, b, worst=True),
        ),
    ),
)
