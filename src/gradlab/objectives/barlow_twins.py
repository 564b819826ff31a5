"""Learning without negatives: every number of a feature agrees between views and repeats no other number."""

import torch
from torch import Tensor, nn

from gradlab.objectives.classification import Measured
from gradlab.objectives.similarities import VIEWS, gathered, widened


def barlow_twins_loss(features: Tensor, redundancy: float = 0.005) -> Tensor:
    """The squared distance of the views' cross-correlation matrix from the identity, off the diagonal weighted.

    sum_i (1 - C_ii)^2 + redundancy * sum_i sum_{j != i} C_ij^2, where C_ij is the correlation over the batch of number
    i in the first view with number j in the second. With `torch.distributed` running, the batch is the joint one.

    Args:
        features: [2N, D], view v of image i at v * N + i; N at least 2.
        redundancy: weight of what is off the diagonal, not negative.

    Source: Zbontar et al. 2021, "Barlow twins", equations 1 and 2.

    Raises:
        ValueError: the weight is negative, or there are fewer than two images.
    """
    if redundancy < 0:
        raise ValueError(f"the weight of redundancy must not be negative: got {redundancy}")
    with torch.autocast(features.device.type, enabled=False):
        joint = gathered(widened(features))
        if len(joint) < 2 * VIEWS:
            raise ValueError(f"a correlation needs at least two images: got {len(joint) // VIEWS}")
        first, second = (_directions(view) for view in joint.chunk(VIEWS))
        correlations = first.T @ second
    on = torch.diagonal(correlations)
    return (1 - on).square().sum() + redundancy * (correlations.square().sum() - on.square().sum())


def barlow_twins(model: nn.Module, views: Tensor, _labels: Tensor, *, redundancy: float = 0.005) -> Measured:
    """The same for `gradlab.training`: the loss, and no further metrics.

    Args:
        model: gives features [2N, D].
        views: [2N, channels, height, width], view v of image i at v * N + i.
        _labels: not looked at.
        redundancy: weight of what is off the diagonal.

    Source: see `barlow_twins_loss`.
    """
    return barlow_twins_loss(model(views), redundancy), {}


def _directions(view: Tensor) -> Tensor:
    """Every column less its mean and of length 1; one that does not vary stays 0."""
    centred = view - view.mean(0)
    return centred / centred.norm(dim=0).clamp(min=1e-6)
