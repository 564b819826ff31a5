"""Contrastive learning with labels: all views of a class belong together."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.objectives.classification import Measured
from gradlab.objectives.similarities import VIEWS, batch_similarities, gathered


def supervised_contrastive_loss(features: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The mean over views of -log softmax(cosines / temperature), averaged over all other views of the class, in nats.

    With labels that are all different it is `info_nce_loss`. With `torch.distributed` running, the views of all
    processes take part.

    Args:
        features: [2N, D], view v of image i at v * N + i.
        labels: int64 [N].
        temperature: what cosines are divided by; positive.

    Source: Khosla et al. 2020, "Supervised contrastive learning", equation 2 (the mean outside the logarithm).
    Differs from the paper: a mean over the views for its sum.

    Raises:
        ValueError: the temperature is not positive, or the labels do not belong to the features.
    """
    if temperature <= 0:
        raise ValueError(f"the temperature must be positive: got {temperature}")
    if VIEWS * len(labels) != len(features):
        raise ValueError(f"two views of an image share a label: got {len(features)} features and {len(labels)} labels")
    cosines, own = batch_similarities(features)
    of_views = labels.repeat(VIEWS)
    same = of_views.unsqueeze(1) == gathered(of_views).unsqueeze(0)
    positives = same & (own.unsqueeze(1) != torch.arange(cosines.shape[1], device=own.device))
    log_shares = F.log_softmax(cosines / temperature, dim=1)
    return -(log_shares.where(positives, 0.0).sum(1) / positives.sum(1)).mean()


def supervised_contrastive(model: nn.Module, views: Tensor, labels: Tensor, *, temperature: float = 0.07) -> Measured:
    """The same for `gradlab.training`: the loss, and no further metrics.

    Args:
        model: gives features [2N, D].
        views: [2N, channels, height, width], view v of image i at v * N + i.
        labels: int64 [N].
        temperature: what cosines are divided by.

    Source: see `supervised_contrastive_loss`.
    """
    return supervised_contrastive_loss(model(views), labels, temperature), {}
