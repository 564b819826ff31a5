"""Loss and accuracy of a batch.

Write `classification_step(model, batch)` for a batch (images, labels): the mean cross-entropy of the model's logits, a
tensor that gradients flow through, and the accuracy of the batch, a Python float.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill

SOURCE = "practical 3: _calculate_loss; practical 5: the losses of logistic regression and baseline"
HINTS = (
    "Call the model once; loss and accuracy both come from its logits.",
    "`functional.cross_entropy` takes logits and class numbers; the predicted class is `logits.argmax(dim=1)`.",
    "`(logits.argmax(1) == labels).float().mean().item()`.",
)


def classification_step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, float]:
    """Returns the loss (a tensor with a graph) and the accuracy in [0, 1].

    Args:
        model: gives logits [batch, classes].
        batch: images [batch, ...] and labels [batch] (int64).
    """
    ### BEGIN SOLUTION
    images, labels = batch
    logits = model(images)
    accuracy = (logits.argmax(dim=1) == labels).float().mean().item()
    return functional.cross_entropy(logits, labels), accuracy
    ### END SOLUTION


class _Network(nn.Module):
    """A linear classifier that counts its calls."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, 4)
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.layer(x)


def _probe(step: Any, images: Tensor, labels: Tensor) -> dict[str, Any]:
    model = _Network(images.shape[1])
    fill(model)
    loss, accuracy = step(model, (images, labels))
    flows = bool(getattr(loss, "requires_grad", False))
    return {"calls of the model": model.calls, "gradients flow": flows, "loss": loss, "accuracy": accuracy,
            "accuracy is a float": isinstance(accuracy, float)}  # fmt: skip


def _case(draw: Draw) -> dict[str, Any]:
    batch = draw.size(4, 7)
    images = draw.normal(batch, draw.size(2, 4))
    model = _Network(images.shape[1])
    fill(model)
    labels = model(images).argmax(1)
    labels[0] = (labels[0] + 1) % 4
    labels[1] = (labels[1] + draw.whole(0, 1)) % 4
    return {"images": images, "labels": labels}


def _step(model: Any, batch: Any, loss: Any = None, accuracy: Any = None) -> tuple[Any, Any]:
    images, labels = batch
    logits = model(images)
    right = (logits.argmax(1) == labels).float()
    told = functional.cross_entropy(logits, labels) if loss is None else loss(logits, labels)
    return told, right.mean().item() if accuracy is None else accuracy(logits, labels, right)


def _twice(model: Any, batch: Any) -> tuple[Any, Any]:
    loss, _ = _step(model, batch)
    return loss, _step(model, batch)[1]


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the loss is detached",
            "Gradients must flow through it: no `.item()`, no `.detach()`, no no_grad.",
            lambda m, b: _step(m, b, loss=lambda x, y: functional.cross_entropy(x, y).detach()),
        ),
        Fault(
            "there is a softmax before the loss",
            "The cross-entropy takes logits.",
            lambda m, b: _step(m, b, loss=lambda x, y: functional.cross_entropy(x.softmax(1), y)),
        ),
        Fault(
            "the sum instead of the mean loss",
            "The mean over the batch.",
            lambda m, b: _step(m, b, loss=lambda x, y: functional.cross_entropy(x, y, reduction="sum")),
        ),
        Fault(
            "one loss for each sample",
            "The mean over the batch.",
            lambda m, b: _step(m, b, loss=lambda x, y: functional.cross_entropy(x, y, reduction="none")),
        ),
        Fault(
            "the logits are taken for log-probabilities",
            "`nll_loss` wants log-softmax: take `cross_entropy`.",
            lambda m, b: _step(m, b, loss=functional.nll_loss),
        ),
        Fault(
            "the number of right samples instead of their share",
            "Divide by the batch's size.",
            lambda m, b: _step(m, b, accuracy=lambda x, y, r: float(r.sum())),
        ),
        Fault(
            "the error instead of the accuracy",
            "Count right samples.",
            lambda m, b: _step(m, b, accuracy=lambda x, y, r: 1 - r.mean().item()),
        ),
        Fault(
            "the winner is sought along the batch",
            "`argmax(dim=1)`: the classes of each sample.",
            lambda m, b: _step(m, b, accuracy=lambda x, y, r: (x.argmax(0)[y] == y).float().mean().item()),
        ),
        Fault(
            "the largest logit instead of its place",
            "`max` gives the value, `argmax` the class.",
            lambda m, b: _step(m, b, accuracy=lambda x, y, r: (x.amax(1) == y).float().mean().item()),
        ),
        Fault(
            "the accuracy is a tensor",
            "`.item()` makes a float of it.",
            lambda m, b: _step(m, b, accuracy=lambda x, y, r: r.mean()),
        ),
        Fault("the model is called twice", "Both come from the same logits.", _twice),
        Fault("loss and accuracy are swapped", "First the loss.", lambda m, b: _step(m, b)[::-1]),
        Fault(
            "per cent instead of a share",
            "The accuracy lies in [0, 1].",
            lambda m, b: _step(m, b, accuracy=lambda x, y, r: 100 * r.mean().item()),
        ),
    ),
)
