"""What contrastive learning trains on: each view has to find the other view of its image among all others."""

from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.objectives.classification import Measured
from gradlab.objectives.similarities import batch_similarities

ROUNDING = 1e-6
"""Cosines that differ by less count as equal: the same two vectors may give either, depending on their place."""


def info_nce_loss(features: Tensor, temperature: float) -> Tensor:
    """The mean over all views of -log softmax(cosines / temperature) at the other view of the same image, in nats.

    The softmax runs over all views but the anchor. With `torch.distributed` running, the views of all processes are
    the negatives, and the mean over processes is the loss of the joint batch.

    Args:
        features: [2N, D] of any length, view v of image i at v * N + i: the positive of i is at (i + N) mod 2N.
        temperature: what cosines are divided by; positive.

    Source: Chen et al. 2020, "A simple framework for contrastive learning of visual representations", equation 1 and
    algorithm 1; handbook, practical 5, part 1.

    Raises:
        ValueError: the temperature is not positive, or the features are not pairs of views.
    """
    cosines, positives = _ranked(features)
    return _loss(cosines, positives, temperature)


def positive_positions(features: Tensor) -> Tensor:
    """Where the other view stands among all views ordered by similarity, int64 [2N], from 1.

    Whatever is as similar as the positive counts as before it. A network that says the same of every image is last,
    where sorting would put it first.

    Args:
        features: [2N, D] as in `info_nce_loss`.
    """
    return _positions(*_ranked(features))


def info_nce(model: nn.Module, views: Tensor, _labels: Tensor, *, temperature: float = 0.07) -> Measured:
    """The same for `gradlab.training`: the loss, and what `ranking` measures, summed over the images.

    Args:
        model: gives features [2N, D].
        views: [2N, channels, height, width], view v of image i at v * N + i.
        _labels: not looked at.
        temperature: what cosines are divided by.

    Source: see `info_nce_loss`.
    """
    cosines, positives = _ranked(model(views))
    positions = _positions(cosines.detach(), positives)
    sums = {name: values.sum() / 2 for name, values in ranking(positions).items()}
    return _loss(cosines, positives, temperature), sums


def ranking(positions: Tensor) -> dict[str, Tensor]:
    """What positions of the positive say, one number a view.

    "top1_accuracy" and "top5_accuracy" are 1 where it is among the first 1 or 5, "mean_position" is the position.
    """
    return {
        "top1_accuracy": (positions <= 1).float(),
        "top5_accuracy": (positions <= 5).float(),
        "mean_position": positions.float(),
    }


def _ranked(features: Tensor) -> tuple[Tensor, Tensor]:
    cosines, own = batch_similarities(features)
    everything = cosines.shape[1]
    return cosines, (own + everything // 2) % everything


def _loss(cosines: Tensor, positives: Tensor, temperature: float) -> Tensor:
    if temperature <= 0:
        raise ValueError(f"the temperature must be positive: got {temperature}")
    return F.cross_entropy(cosines / temperature, positives)


def _positions(cosines: Tensor, positives: Tensor) -> Tensor:
    return (cosines >= cosines.gather(1, positives.unsqueeze(1)) - ROUNDING).sum(1)
