"""Train for one epoch.

Write `train_epoch(model, optimizer, batches)` for batches of (images, labels): put the model into training mode and
take one step of the optimiser (zero_grad, step) a batch on the mean cross-entropy of its logits. Return the mean loss
of the epoch's samples as a Python float: a batch counts with its number of samples, the last may be smaller.
"""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import Descent, fill

SOURCE = "practical 1, part 1: train_model; cheat-sheet and slides: training loop"
HINTS = (
    "Before the loop `model.train()`. In it: logits, loss, zero_grad, backward, step, and two running numbers.",
    "Keep `loss.item()`, a number: the tensor itself would keep its whole graph alive.",
    "`total += loss.item() * len(labels)` and `count += len(labels)`; at the end `total / count`.",
)


def train_epoch(model: nn.Module, optimizer: Any, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Trains on each batch once and returns the mean loss of a sample.

    Args:
        model: gives logits [batch, classes].
        optimizer: has `zero_grad()` and `step()`.
        batches: pairs of images [batch, ...] and labels [batch] (int64).
    """
    ### BEGIN SOLUTION
    model.train()
    total, count = 0.0, 0
    for images, labels in batches:
        loss = functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        count += len(labels)
    return total / count
    ### END SOLUTION


class _Network(nn.Module):
    """Two layers whose units are halved while training, and which remembers its mode at each call."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 4), nn.Tanh(), nn.Linear(4, classes))
        self.modes: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append(self.training)
        return self.layers(x) * (0.5 if self.training else 1.0)


def _probe(train: Any, images: list[Tensor], labels: list[Tensor], lr: float) -> dict[str, Any]:
    model = _Network(images[0].shape[1], 3)
    fill(model)
    model.eval()
    mean = train(model, Descent(model.parameters(), lr), list(zip(images, labels, strict=True)))
    return {
        "batches in training mode": sum(model.modes),
        "batches in evaluation mode": len(model.modes) - sum(model.modes),
        "weights after the epoch": [p.detach().clone() for p in model.parameters()],
        "mean loss": mean,
    }


def _case(draw: Draw) -> dict[str, Any]:
    sizes = [draw.size(3, 5)] * draw.size(2, 3) + [draw.size(1, 2)]
    inputs = draw.size(2, 4)
    return {
        "images": [draw.normal(size, inputs) for size in sizes],
        "labels": [draw.labels(size, 3) for size in sizes],
        "lr": draw.choice((0.5, 0.2, 1.0)),
    }


def _epoch(
    model: Any, optimizer: Any, batches: Any, train: bool = True, clear: bool = True, mean: str = "samples",
    sign: float = 1.0, twice: bool = False, step: bool = True,
) -> Any:  # fmt: skip
    model.train(train)
    losses, sizes = [], []
    for images, labels in batches:
        logits = model(images)
        loss = functional.cross_entropy(logits.softmax(1) if twice else logits, labels)
        if clear:
            optimizer.zero_grad()
        (sign * loss).backward()
        if step:
            optimizer.step()
        losses.append(loss.item())
        sizes.append(len(labels))
    weighted = sum(one * size for one, size in zip(losses, sizes, strict=True))
    means = {"samples": weighted / sum(sizes), "batches": sum(losses) / len(losses), "last": losses[-1]}
    return {**means, "sum": sum(losses), "full": sum(losses) / sizes[0]}[mean]


def _one_step(model: Any, optimizer: Any, batches: Any) -> Any:
    model.train()
    optimizer.zero_grad()
    losses = [functional.cross_entropy(model(images), labels) for images, labels in batches]
    for loss in losses:
        loss.backward()
    optimizer.step()
    sizes = [len(labels) for _, labels in batches]
    return sum(loss.item() * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the model is not in training mode",
            "Dropout and BatchNorm behave differently: `model.train()` before the loop.",
            lambda m, o, b: _epoch(m, o, b, train=False),
        ),
        Fault(
            "the gradients are not cleared",
            "backward adds to what is there: `optimizer.zero_grad()` in each round.",
            lambda m, o, b: _epoch(m, o, b, clear=False),
        ),
        Fault(
            "the batches' losses are averaged",
            "A small batch would weigh as much as a full one: weigh by the number of samples.",
            lambda m, o, b: _epoch(m, o, b, mean="batches"),
        ),
        Fault(
            "the sum of the batches' losses is divided by the batch's size",
            "Each loss is a mean already: weigh it by its samples, divide by all samples.",
            lambda m, o, b: _epoch(m, o, b, mean="full"),
        ),
        Fault(
            "the losses are summed and not averaged",
            "The mean loss of a sample is asked for.",
            lambda m, o, b: _epoch(m, o, b, mean="sum"),
        ),
        Fault(
            "the last batch's loss is returned",
            "The mean over the whole epoch is asked for.",
            lambda m, o, b: _epoch(m, o, b, mean="last"),
        ),
        Fault(
            "there is a softmax before the loss",
            "The cross-entropy takes logits and applies the softmax itself.",
            lambda m, o, b: _epoch(m, o, b, twice=True),
        ),
        Fault(
            "the optimiser takes no step",
            "`optimizer.step()` after each backward.",
            lambda m, o, b: _epoch(m, o, b, step=False),
        ),
        Fault(
            "the loss is made larger",
            "backward on the loss itself, not on minus the loss.",
            lambda m, o, b: _epoch(m, o, b, sign=-1),
        ),
        Fault("there is one step for all batches", "Each batch has its own step, inside the loop.", _one_step),
        Fault("the last batch is left out", "A short batch counts as well.", lambda m, o, b: _epoch(m, o, b[:-1])),
    ),
)
