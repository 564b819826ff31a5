"""How features lie in their space."""

import torch
from torch import Tensor
from torch.nn import functional as F

ROWS_AT_ONCE = 1000


def alignment(first: Tensor, second: Tensor) -> float:
    """The mean squared distance of the directions of positive pairs: 0 where views agree, at most 4; less is better.

    Args:
        first: features [N, D] of one view of each image.
        second: features [N, D] of another view.

    Source: Wang and Isola 2020, "Understanding contrastive representation learning through alignment and uniformity on
    the hypersphere", section 4.1, alpha = 2.
    """
    return (F.normalize(first, dim=1) - F.normalize(second, dim=1)).square().sum(1).mean().item()


def uniformity(features: Tensor) -> float:
    """The log of the mean of exp(-2 |u - v|^2) over all pairs of directions: 0 where all agree; less is better.

    Directions spread evenly over a sphere of many dimensions come close to -4.

    Args:
        features: [N, D], N at least 2.

    Source: Wang and Isola 2020, section 4.1, t = 2.

    Raises:
        ValueError: there are no pairs.
    """
    if len(features) < 2:
        raise ValueError(f"uniformity needs at least two features: got {len(features)}")
    directions, total = F.normalize(features.double(), dim=1), 0.0
    for rows in directions.split(ROWS_AT_ONCE):
        # |u - v|^2 = 2 - 2 u v for directions.
        total += (4 * (rows @ directions.T) - 4).exp().sum().item()
    pairs = len(features) * (len(features) - 1)
    return torch.tensor((total - len(features)) / pairs).log().item()


def principal_plane(features: Tensor) -> tuple[Tensor, Tensor]:
    """The first two principal components of features, and the shares of the variance that they hold.

    Args:
        features: [N, D], N and D at least 2.

    Returns:
        Coordinates [N, 2], signs chosen so that each axis' largest entry in size is positive, and shares [2].

    Source: Pearson 1901, "On lines and planes of closest fit to systems of points in space".

    Raises:
        ValueError: there are fewer than two features or numbers.
    """
    if min(features.shape) < 2:
        raise ValueError(f"a plane needs at least two features of two numbers: got {list(features.shape)}")
    centred = features.double() - features.double().mean(0)
    _left, sizes, axes = torch.linalg.svd(centred, full_matrices=False)
    plane = axes[:2]
    plane = plane * plane.gather(1, plane.abs().argmax(1, keepdim=True)).sign()
    variances = sizes.square()
    return centred @ plane.T, variances[:2] / variances.sum().clamp(min=torch.finfo(torch.float64).tiny)
