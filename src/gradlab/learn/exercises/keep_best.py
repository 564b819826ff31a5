"""Keep the best weights.

Write `keep_best(model, train_epoch, validate, num_epochs, every)`: call `train_epoch(model)` `num_epochs` times; after
every `every`-th epoch, and after the last, `validate(model)` gives an accuracy. At the end the model has the weights of
the best validation (the first of equally good ones), and the best accuracy is returned.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill

SOURCE = "practical 1, part 1: train_model evaluates, saves the best and loads it at the end"
HINTS = (
    "Remember the best accuracy so far and the weights that gave it; load them after the loop.",
    "`model.state_dict()` holds the tensors themselves, which go on changing: copy them.",
    "`best = {name: t.clone() for name, t in model.state_dict().items()}`; at the end `model.load_state_dict(best)`.",
)


def keep_best(
    model: nn.Module,
    train_epoch: Callable[[nn.Module], None],
    validate: Callable[[nn.Module], float],
    num_epochs: int,
    every: int = 5,
) -> float:
    """Trains, leaves the best weights in the model and returns their accuracy.

    Args:
        model: changed in place.
        train_epoch: trains it for one epoch.
        validate: its accuracy on the validation data.
        num_epochs: how often it is trained.
        every: epochs between two validations; the last epoch is validated in any case.
    """
    ### BEGIN SOLUTION
    best_accuracy, best = -1.0, {}
    for epoch in range(1, num_epochs + 1):
        train_epoch(model)
        if epoch % every == 0 or epoch == num_epochs:
            accuracy = validate(model)
            if accuracy > best_accuracy:
                best_accuracy = accuracy
                best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(best)
    return best_accuracy
    ### END SOLUTION


def _probe(train: Any, accuracies: list[float], every: int) -> dict[str, Any]:
    model = nn.Linear(1, 1)
    fill(model)
    validated: list[int] = []

    @torch.no_grad()
    def train_epoch(given: nn.Module) -> None:
        for parameter in given.parameters():
            parameter += 1.0

    def validate(given: nn.Module) -> float:
        epoch = round(float(next(given.parameters()).detach().sum() - start))
        validated.append(epoch)
        return accuracies[epoch - 1]

    start = float(next(model.parameters()).detach().sum())
    told = train(model, train_epoch, validate, len(accuracies), every)
    trained = float(next(model.parameters()).detach().sum()) - start
    return {"epochs validated": validated, "the weights are those of epoch": trained, "accuracy": told}


def _case(draw: Draw) -> dict[str, Any]:
    every = draw.choice((2, 3, 2, 1))
    epochs = [5, 7, 5, 3, 8, 4][draw.case]
    accuracies = [round(0.2 + 0.05 * ((7 * epoch) % 11), 2) for epoch in range(epochs)]
    if draw.case == 0:
        accuracies = [0.9, 0.6, 0.3, 0.6, 0.5]
    if draw.case == 2:
        accuracies = [0.1, 0.2, 0.3, 0.4, 0.8]
    if draw.case == 3:
        accuracies = [0.2, 0.9, 0.9]
    return {"accuracies": accuracies, "every": every}


def _run(model: Any, train_epoch: Any, validate: Any, num_epochs: int, every: int, **switch: Any) -> Any:
    """Training with the switches last, load, copy, best (first, last or worst), told, first, final."""
    kept: dict[str, Tensor] = {}
    best, first = switch.get("best", "first"), switch.get("first", 1)
    final = switch.get("final", num_epochs)
    record, accuracy = (2.0 if best == "worst" else -1.0), -1.0
    for epoch in range(first, num_epochs + first):
        train_epoch(model)
        if epoch % every == 0 or (switch.get("last", True) and epoch == final):
            accuracy = validate(model)
            better = {"first": accuracy > record, "last": accuracy >= record, "worst": accuracy < record}[best]
            if better:
                record = accuracy
                copy = switch.get("copy", True)
                kept = {name: t.clone() if copy else t for name, t in model.state_dict().items()}
    if switch.get("load", True) and kept:
        model.load_state_dict(kept)
    return {"best": record, "last": accuracy}[switch.get("told", "best")]


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the model ends with the last weights instead of the best",
            "Load the best at the end; `state_dict()` holds the model's own tensors, which go on changing: copy each.",
            lambda *given: _run(*given, copy=False),
        ),
        Fault(
            "the last epoch is not validated",
            "Validate after the last epoch as well, whatever its number.",
            lambda *given: _run(*given, last=False),
        ),
        Fault(
            "the last of equally good weights is kept",
            "Keep the first: replace only where the accuracy is larger.",
            lambda *given: _run(*given, best="last"),
        ),
        Fault(
            "the worst weights are kept",
            "A larger accuracy is better.",
            lambda *given: _run(*given, best="worst"),
        ),
        Fault(
            "the last accuracy is returned",
            "Return the accuracy of the weights that are loaded.",
            lambda *given: _run(*given, told="last"),
        ),
        Fault(
            "every epoch is validated",
            "Validate after every `every`-th epoch and the last.",
            lambda m, t, v, n, every: _run(m, t, v, n, 1),
        ),
        Fault(
            "the epochs are counted from 0",
            "`epoch % every` with epochs from 0 validates after the first epoch: count from 1.",
            lambda *given: _run(*given, first=0, last=False),
        ),
        Fault(
            "the epochs are counted from 0, and the last is validated",
            "`epoch % every` with epochs from 0 validates after the first epoch: count from 1.",
            lambda m, t, v, n, every: _run(m, t, v, n, every, first=0, final=n - 1),
        ),
        Fault(
            "one epoch too few is trained",
            "`range(1, num_epochs)` ends before num_epochs.",
            lambda m, t, v, n, every: _run(m, t, v, n - 1, every, last=False),
        ),
        Fault(
            "one epoch too few is trained, and the last is validated",
            "`range(1, num_epochs)` ends before num_epochs.",
            lambda m, t, v, n, every: _run(m, t, v, n - 1, every),
        ),
    ),
)
