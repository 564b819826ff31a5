"""A few images of each class.

Write `smaller_dataset(features, labels, per_label)` for features [count, d] and labels [count] (int64) in any order:
the first `per_label` samples of each label, as two tensors. Samples keep the order in which they came; a label with
fewer samples gives all it has.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 5: get_smaller_dataset"
HINTS = (
    "For each sample: how many samples of its label came before it?",
    "A one-hot matrix, summed up from the top (`cumsum(0)`), counts them.",
    "`rank = (one_hot.cumsum(0) * one_hot).sum(1)`; keep where `rank <= per_label`.",
)


def smaller_dataset(features: Tensor, labels: Tensor, per_label: int) -> tuple[Tensor, Tensor]:
    """Returns features and labels of the first `per_label` samples of each label.

    Args:
        features: [count, d].
        labels: [count] (int64).
        per_label: at least 1.
    """
    ### BEGIN SOLUTION
    one_hot = (labels[:, None] == torch.unique(labels)).long()
    rank = (one_hot.cumsum(0) * one_hot).sum(1)
    kept = rank <= per_label
    return features[kept], labels[kept]
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    count = draw.size(9, 20)
    labels = draw.labels(count, 3)
    labels[:9] = torch.tensor([1, 0, 1, 1, 2, 0, 1, 0, 2])
    if draw.case == 1:
        labels = labels.sort().values
    return {"features": draw.normal(count, 2), "labels": labels, "per_label": draw.choice((2, 3, 1))}


def _kept(features: Tensor, labels: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    return features[kept], labels[kept]


def _indices(labels: Tensor, per_label: int, last: bool = False, by_label: bool = False) -> Tensor:
    groups = [(labels == label).nonzero()[:, 0] for label in torch.unique(labels)]
    chosen = torch.cat([group[-per_label:] if last else group[:per_label] for group in groups])
    return chosen if by_label else chosen.sort().values


def _spaced(labels: Tensor, per_label: int) -> Tensor:
    classes = len(labels.unique())
    each = len(labels) // classes
    return torch.cat([torch.arange(c * each, c * each + per_label) for c in range(classes)])


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the samples are grouped by label",
            "Samples keep the order in which they came.",
            lambda x, y, n: _kept(x, y, _indices(y, n, by_label=True)),
        ),
        Fault(
            "the last samples of each label are taken",
            "The first ones.",
            lambda x, y, n: _kept(x, y, _indices(y, n, last=True)),
        ),
        Fault(
            "the first samples of the whole set are taken",
            "per_label of each label, not in all.",
            lambda x, y, n: (x[:n], y[:n]),
        ),
        Fault(
            "the first labels times per_label samples are taken",
            "Count each label by itself.",
            lambda x, y, n: (x[: n * len(y.unique())], y[: n * len(y.unique())]),
        ),
        Fault(
            "one too many of each label",
            "per_label of each: `<=` for ranks from 1.",
            lambda x, y, n: _kept(x, y, _indices(y, n + 1)),
        ),
        Fault(
            "one too few of each label",
            "per_label of each: `<=` for ranks from 1.",
            lambda x, y, n: _kept(x, y, _indices(y, n - 1)),
        ),
        Fault(
            "only the features are cut", "Labels have to follow their features.", lambda x, y, n: (x[_indices(y, n)], y)
        ),
        Fault(
            "only the labels are cut", "Features have to follow their labels.", lambda x, y, n: (x, y[_indices(y, n)])
        ),
        Fault(
            "only the first label is kept",
            "Every label keeps its samples.",
            lambda x, y, n: _kept(x, y, (y == 0).nonzero()[:n, 0]),
        ),
        Fault(
            "the labels are equally spaced in an ordered set",
            "Labels may come in any order and number.",
            lambda x, y, n: _kept(x, y, _spaced(y, n)),
        ),
        Fault(
            "features and labels are swapped", "First the features.", lambda x, y, n: _kept(x, y, _indices(y, n))[::-1]
        ),
    ),
)
