"""What lies near to an image in the space of features."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

QUERIES_AT_ONCE = 1000


def nearest(queries: Tensor, bank: Tensor, count: int, *, itself: bool = False) -> tuple[Tensor, Tensor]:
    """The `count` features of a bank with the largest cosine, most similar first: cosines and positions.

    Args:
        queries: [Q, D].
        bank: [B, D].
        count: at most B, or B - 1 without itself.
        itself: the queries are the bank, and none is its own neighbour.

    Returns:
        Cosines [Q, count] and int64 [Q, count].

    Raises:
        ValueError: the bank is too small.
    """
    if not 0 < count <= len(bank) - itself:
        raise ValueError(f"a bank of {len(bank)} features has no {count} neighbours")
    directions = F.normalize(bank, dim=1)
    found = []
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        cosines = F.normalize(queries[start : start + QUERIES_AT_ONCE], dim=1) @ directions.T
        if itself:
            cosines[torch.arange(len(cosines)), torch.arange(start, start + len(cosines))] = -torch.inf
        found.append(cosines.topk(count, dim=1))
    return torch.cat([top.values for top in found]), torch.cat([top.indices for top in found])


def neighbour_accuracy(
    bank: tuple[Tensor, Tensor], queries: tuple[Tensor, Tensor], *, count: int, temperature: float | None = None
) -> float:
    """The share of queries whose label most of their nearest neighbours vote for; of equal votes the first label wins.

    Args:
        bank: features [B, D] and labels [B].
        queries: features [Q, D] and labels [Q].
        count: how many neighbours vote.
        temperature: a vote weighs exp(cosine / temperature), as in Wu et al. 2018; None gives each the same weight.

    Source: Wu et al. 2018, "Unsupervised feature learning via non-parametric instance discrimination", section 3.4
    (there 200 neighbours and a temperature of 0.07).
    """
    cosines, places = nearest(queries[0], bank[0], count)
    weights = torch.ones_like(cosines) if temperature is None else ((cosines - 1) / temperature).exp()
    votes = cosines.new_zeros(len(cosines), int(bank[1].max()) + 1)
    votes.scatter_add_(1, bank[1][places], weights)
    return (votes.argmax(1) == queries[1]).double().mean().item()


def retrieval_precision(features: Tensor, labels: Tensor, counts: Sequence[int]) -> dict[int, float]:
    """For each k, the share of the k nearest other features that have the same label, a mean over all features.

    Args:
        features: [N, D].
        labels: [N].
        counts: the values of k, each below N.
    """
    _cosines, places = nearest(features, features, max(counts), itself=True)
    same = (labels[places] == labels.unsqueeze(1)).double().cumsum(1).mean(0)
    return {count: (same[count - 1] / count).item() for count in counts}
