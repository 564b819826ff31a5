"""A map of features in which near ones stay near: t-distributed stochastic neighbour embedding, exactly."""

import torch
from torch import Tensor

from gradlab.evaluation.geometry import principal_plane

BISECTIONS = 60
EXAGGERATED, EXAGGERATION = 250, 12.0
"""Steps with the attraction multiplied, and by how much: clusters form while there is room to pass each other."""
MOMENTA = (0.5, 0.8)
"""In the exaggerated steps, and after them."""
SMALLEST_GAIN, SMALLEST_RATE = 0.01, 50.0


def tsne(features: Tensor, *, perplexity: float = 30.0, steps: int = 500) -> Tensor:
    """A map [N, 2] in single precision; the same features give the same map.

    Every pair is computed, which is for up to a few thousand features: 1,000 take a few seconds. Distances between
    clusters, and their sizes, mean little.

    Args:
        features: [N, D], N and D at least 2.
        perplexity: how many neighbours a feature has, in effect; at most (N - 1) / 3 is used.
        steps: of gradient descent.

    Source: van der Maaten and Hinton 2008, "Visualizing data using t-SNE", algorithm 1 and section 3.4.
    Differs from the paper: it begins with the principal plane instead of random numbers, and the rate is N / 48, at
    least 50 (Kobak and Berens 2019, "The art of using t-SNE for single-cell transcriptomics"; Belkina et al. 2019).

    Raises:
        ValueError: there are fewer than two features or numbers.
    """
    start, _ = principal_plane(features)
    points = start / start[:, 0].std().clamp(min=torch.finfo(torch.float64).tiny) * 1e-4
    points = points.float()  # twice as fast, and no eye could tell
    attraction = joint(features.double(), min(perplexity, (len(features) - 1) / 3)).float()
    rate = max(len(features) / EXAGGERATION / 4, SMALLEST_RATE)
    gains, update = torch.ones_like(points), torch.zeros_like(points)
    for step in range(steps):
        early = step < min(EXAGGERATED, steps // 2)
        slope = gradient(points, attraction * (EXAGGERATION if early else 1.0))
        gains = torch.where(slope * update > 0, gains * 0.8, gains + 0.2).clamp(min=SMALLEST_GAIN)
        update = MOMENTA[not early] * update - rate * gains * slope
        points = points + update
    return points - points.mean(0)


def joint(features: Tensor, perplexity: float) -> Tensor:
    """The symmetric probabilities [N, N] that two features are neighbours, of sum 1 (equations 1 and section 3.1)."""
    given = conditional(torch.cdist(features, features).square(), perplexity)
    return (given + given.T) / (2 * len(features))


def conditional(squares: Tensor, perplexity: float) -> Tensor:
    """The probability of each neighbour in each row: a bell as wide as the perplexity asks for, found by bisection.

    Args:
        squares: squared distances [N, N]; nothing is its own neighbour.
        perplexity: two to the entropy of each row in bits.
    """
    own = torch.eye(len(squares), dtype=torch.bool)
    squares = squares.masked_fill(own, torch.inf)
    squares = squares - squares.amin(1, keepdim=True)  # changes no probability, and keeps the nearest from vanishing
    target = torch.tensor(perplexity, dtype=squares.dtype).log()
    scale = squares[~own].mean().clamp(min=torch.finfo(squares.dtype).tiny)
    low, high = (torch.full((len(squares), 1), power, dtype=squares.dtype) for power in (-60.0, 60.0))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2  # of the logarithm of the precision
        wide = entropy((-squares / scale * middle.exp()).softmax(1)) > target
        low, high = torch.where(wide, middle, low), torch.where(wide, high, middle)
    return (-squares / scale * low.exp()).softmax(1)


def entropy(probabilities: Tensor) -> Tensor:
    """The entropy of each row in nats, [N, 1]."""
    return torch.special.entr(probabilities).sum(1, keepdim=True)


def gradient(points: Tensor, attraction: Tensor) -> Tensor:
    """The slope [N, 2] of the divergence KL(P || Q) at points [N, 2], for attraction P [N, N] (equation 5)."""
    x, y = points.T.unsqueeze(2)
    kernel = ((x - x.T).square_() + (y - y.T).square_()).add_(1).reciprocal_().fill_diagonal_(0)
    pull = (attraction - kernel / kernel.sum()).mul_(kernel)
    return 4 * (pull.sum(1, keepdim=True) * points - pull @ points)
