"""Accuracy over rotation angles.

Write `rotation_accuracies(model, images, labels, rotate, angles)`: a list with the accuracy (a float) of the model on
the images turned by each angle, `rotate(images, angle)`. Every angle starts from the original images. The model works
in evaluation mode and without recording for autograd. This list is what a plot of accuracy over angle shows.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill

SOURCE = "practical 2, part 2: test_model_rotated, determine and plot the results"
HINTS = (
    "`model.eval()` and `torch.no_grad()`, then one accuracy an angle.",
    "Give the rotated images another name than the originals, or angles add up.",
    "`(model(rotate(images, angle)).argmax(1) == labels).float().mean().item()` for each angle.",
)


def rotation_accuracies(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    rotate: Callable[[Tensor, int], Tensor],
    angles: Sequence[int],
) -> list[float]:
    """Returns an accuracy in [0, 1] for each angle.

    Args:
        model: gives logits [batch, classes].
        images: [batch, channels, height, width].
        labels: [batch] (int64).
        rotate: turns images by an angle in degrees.
        angles: in degrees.
    """
    ### BEGIN SOLUTION
    model.eval()
    accuracies = []
    with torch.no_grad():
        for angle in angles:
            predicted = model(rotate(images, angle)).argmax(dim=1)
            accuracies.append((predicted == labels).float().mean().item())
    return accuracies
    ### END SOLUTION


class _Network(nn.Module):
    """A linear classifier that reverses the classes while training."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, 4)
        self.modes: list[bool] = []
        self.recorded: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append(self.training)
        logits = self.layer(x.flatten(1))
        self.recorded.append(logits.requires_grad)
        return logits.flip(1) if self.training else logits


def _probe(accuracies: Any, images: Tensor, angles: list[int]) -> dict[str, Any]:
    model = _Network(images[0].numel())
    fill(model)
    with torch.no_grad():
        labels = model.eval()(images).argmax(1)
    labels[0] = (labels[0] + 1) % 4
    model.train()
    model.modes.clear()
    model.recorded.clear()
    told = accuracies(model, images, labels, lambda x, angle: x.rot90(angle // 90, (2, 3)), angles)
    return {"in training mode": any(model.modes), "recorded": any(model.recorded), "accuracies": told}


def _case(draw: Draw) -> dict[str, Any]:
    angles = draw.choice(([0, 90, 180], [90, 270, 0, 180], [180, 90]))
    return {"images": draw.normal(draw.size(5, 9), 1, 3, 3), "angles": angles}


def _sweep(
    model: Any,
    images: Any,
    labels: Any,
    rotate: Any,
    angles: Any,
    mode: bool = False,
    record: bool = False,
    add: bool = False,
) -> list[float]:
    model.train(mode)
    found, turned = [], images
    with torch.set_grad_enabled(record):
        for angle in angles:
            turned = rotate(turned if add else images, angle)
            found.append((model(turned).argmax(1) == labels).float().mean().item())
    return found


@torch.no_grad()
def _silent(model: nn.Module, images: Tensor) -> Tensor:
    return model.eval()(images)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault("the angles add up", "Each angle starts from the original images.", lambda *g: _sweep(*g, add=True)),
        Fault("the model is in training mode", "`model.eval()` first.", lambda *g: _sweep(*g, mode=True)),
        Fault("the evaluation is recorded by autograd", "`with torch.no_grad():`.", lambda *g: _sweep(*g, record=True)),
        Fault(
            "the images turn the other way",
            "Hand the angle to `rotate` as it is.",
            lambda m, x, y, r, a: _sweep(m, x, y, lambda i, t: r(i, -t), a),
        ),
        Fault(
            "the images are not turned",
            "The model must see the rotated images.",
            lambda m, x, y, r, a: _sweep(m, x, y, lambda i, t: i, a),
        ),
        Fault("the errors instead of the accuracies", "Count right samples.", lambda *g: [1 - s for s in _sweep(*g)]),
        Fault(
            "counts instead of shares",
            "Divide by the number of samples.",
            lambda m, x, y, r, a: [s * len(y) for s in _sweep(m, x, y, r, a)],
        ),
        Fault(
            "one mean over all angles", "A list with one accuracy an angle.", lambda *g: sum(_sweep(*g)) / len(g[-1])
        ),
        Fault("per cent instead of shares", "Shares lie in [0, 1].", lambda *g: [100 * s for s in _sweep(*g)]),
        Fault("the first angle is missing", "One accuracy for each angle.", lambda *g: _sweep(*g)[1:]),
        Fault("only the last angle is returned", "A list with one accuracy an angle.", lambda *g: _sweep(*g)[-1]),
        Fault(
            "the smallest logit is taken",
            "The predicted class has the largest logit.",
            lambda m, x, y, r, a: [(_silent(m, r(x, t)).argmin(1) == y).float().mean().item() for t in a],
        ),
    ),
)
