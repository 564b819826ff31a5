"""Learning from a slower copy of the network itself: one view foretells what the copy makes of the other."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.objectives.classification import Measured
from gradlab.objectives.similarities import VIEWS, widened


def byol_loss(predictions: Tensor, targets: Tensor) -> Tensor:
    """The squared distance between unit vectors, predicted from one view and made of the other, both ways: 0 to 8.

    A mean over the images of the sum over both ways. No gradient flows into the targets.

    Args:
        predictions: [2N, D], view v of image i at v * N + i.
        targets: [2N, D]; row i belongs to the prediction of row (i + N) mod 2N.

    Source: Grill et al. 2020, "Bootstrap your own latent", equation 2 and the sum below it.

    Raises:
        ValueError: the shapes differ, or the rows are not pairs of views.
    """
    if predictions.shape != targets.shape or len(predictions) % VIEWS or not len(predictions):
        raise ValueError(
            f"predictions and targets must be [2N, D], the same for both: got {list(predictions.shape)} and "
            f"{list(targets.shape)}"
        )
    images = len(predictions) // VIEWS
    with torch.autocast(predictions.device.type, enabled=False):
        towards = F.normalize(widened(targets.detach()), dim=1).roll(images, 0)
        cosines = (F.normalize(widened(predictions), dim=1) * towards).sum(1)
    return (2 - 2 * cosines).sum() / images


def byol(model: nn.Module, views: Tensor, _labels: Tensor) -> Measured:
    """The same for `gradlab.training`: the loss, and no further metrics.

    Args:
        model: gives predictions and targets, both [2N, D], as `BYOL` does.
        views: [2N, channels, height, width], view v of image i at v * N + i.
        _labels: not looked at.

    Source: see `byol_loss`.
    """
    predictions, targets = model(views)
    return byol_loss(predictions, targets), {}
