"""Features of a data set.

Write `encode_images(model, batches)`: `model` is a network whose last layer, `model.head`, is not wanted;
`model.encoder` gives the features [batch, d]. Return the features of all images [count, d] and their labels [count],
ordered by label, images of the same label in the order in which they came. The encoder works in evaluation mode and
without recording for autograd.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill

SOURCE = "practical 5: prepare_data_features"
HINTS = (
    "Collect features and labels batch by batch, and join them with `torch.cat`.",
    "`torch.sort` may change the order of equal labels unless told `stable=True`.",
    "`labels, order = torch.sort(torch.cat(labels), stable=True)`, `features = torch.cat(features)[order]`.",
)


def encode_images(model: Any, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Returns features [count, d] and labels [count], ordered by label.

    Args:
        model: has an `encoder` and a `head`.
        batches: pairs of images [batch, ...] and labels [batch] (int64).
    """
    ### BEGIN SOLUTION
    model.eval()
    features, labels = [], []
    with torch.no_grad():
        for images, truth in batches:
            features.append(model.encoder(images))
            labels.append(truth)
    ordered, order = torch.sort(torch.cat(labels), stable=True)
    return torch.cat(features)[order], ordered
    ### END SOLUTION


class _Network(nn.Module):
    """An encoder that doubles its output while training, and a head."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.encoder = _Encoder(inputs)
        self.head = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


class _Encoder(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).relu() * (2.0 if self.training else 1.0)


def _probe(encode: Any, images: list[Tensor], labels: list[Tensor]) -> dict[str, Any]:
    model = _Network(images[0].shape[1])
    fill(model)
    features, ordered = encode(model, list(zip(images, labels, strict=True)))
    return {"features": features, "labels": ordered, "recorded by autograd": features.requires_grad}


def _case(draw: Draw) -> dict[str, Any]:
    inputs, size = draw.size(2, 4), draw.size(12, 20)
    sizes = [size, size, draw.size(2, 5)]
    return {
        "images": [draw.normal(count, inputs) for count in sizes],
        "labels": [draw.labels(count, 3) for count in sizes],
    }


def _encode(model: Any, batches: Any, **switch: Any) -> tuple[Tensor, Tensor]:
    """Encoding with the switches train, record, head, ordered, features_ordered, descending and reverse."""
    model.train(switch.get("train", False))
    with torch.set_grad_enabled(switch.get("record", False)):
        run = model if switch.get("head", False) else model.encoder
        features = torch.cat([run(images) for images, _ in batches])
    labels = torch.cat([truth for _, truth in batches])
    if not switch.get("ordered", True):
        return features, labels
    if switch.get("reverse", False):  # equal labels backwards, as an unstable sort may leave them
        features, labels = features.flip(0), labels.flip(0)
    ordered, order = torch.sort(labels, stable=True, descending=switch.get("descending", False))
    return (features[order] if switch.get("features_ordered", True) else features), ordered


def _unstable(model: Any, batches: Any) -> tuple[Tensor, Tensor]:
    features, labels = _encode(model, batches, ordered=False)
    ordered, order = torch.sort(labels)
    return features[order], ordered


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the head is still there", "The features come from `model.encoder`.", lambda m, b: _encode(m, b, head=True)
        ),
        Fault("the model is in training mode", "`model.eval()` first.", lambda m, b: _encode(m, b, train=True)),
        Fault(
            "the features are recorded by autograd", "`with torch.no_grad():`.", lambda m, b: _encode(m, b, record=True)
        ),
        Fault("nothing is ordered", "Order by label.", lambda m, b: _encode(m, b, ordered=False)),
        Fault(
            "only the labels are ordered",
            "Features must follow their labels: index them with the order.",
            lambda m, b: _encode(m, b, features_ordered=False),
        ),
        Fault("images of the same label change their order", "`torch.sort(..., stable=True)`.", _unstable),
        Fault(
            "images of the same label come backwards",
            "`torch.sort(..., stable=True)`.",
            lambda m, b: _encode(m, b, reverse=True),
        ),
        Fault(
            "the largest label comes first", "From the smallest label on.", lambda m, b: _encode(m, b, descending=True)
        ),
        Fault(
            "only the last batch is encoded", "Collect all batches, then join them.", lambda m, b: _encode(m, b[-1:])
        ),
        Fault("the last batch is left out", "All batches count.", lambda m, b: _encode(m, b[:-1])),
        Fault("features and labels are swapped", "First the features.", lambda m, b: _encode(m, b)[::-1]),
    ),
)
