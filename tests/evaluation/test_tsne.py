"""t-SNE: widths against a root finder, the slope against autograd, the map against the principal plane."""

import math

import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from gradlab.evaluation import principal_plane, tsne
from gradlab.evaluation.tsne import conditional, gradient, joint

PERPLEXITY = 5.0


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def row_by_hand(squares: list[float], perplexity: float) -> list[float]:
    """The probabilities of one feature's neighbours, whose width a root finder settles."""

    def probabilities(log_precision: float) -> list[float]:
        bells = [math.exp(-math.exp(log_precision) * (square - min(squares))) for square in squares]
        return [bell / sum(bells) for bell in bells]

    def surplus(log_precision: float) -> float:
        return -sum(p * math.log(p) for p in probabilities(log_precision) if p > 0) - math.log(perplexity)

    return probabilities(brentq(surplus, -20, 20, xtol=1e-13))


def test_widths_are_those_of_a_root_finder():
    features = drawn(12, 4) * torch.linspace(0.1, 30, 12).double().unsqueeze(1)
    found = conditional(torch.cdist(features, features).square(), PERPLEXITY)
    for i in range(12):
        others = [j for j in range(12) if j != i]
        squares = [(features[i] - features[j]).square().sum().item() for j in others]
        torch.testing.assert_close(found[i, others].tolist(), row_by_hand(squares, PERPLEXITY), rtol=1e-7, atol=1e-12)
        assert found[i, i] == 0


def test_equally_distant_features_are_neighbours_alike():
    expected = (1 - torch.eye(6, dtype=torch.float64)) / 30
    torch.testing.assert_close(joint(torch.eye(6, dtype=torch.float64), 2.0), expected)


def test_many_copies_of_a_feature_are_no_obstacle():
    features = torch.cat([torch.zeros(8, 3), drawn(6, 3).float()])
    assert joint(features.double(), 2.0).isfinite().all()
    assert tsne(features, steps=5).isfinite().all()
    assert tsne(torch.zeros(5, 3), steps=5).isfinite().all()


def divergence(points: Tensor, attraction: Tensor) -> Tensor:
    """KL(P || Q), pair by pair."""
    kernels = {(i, j): 1 / (1 + (points[i] - points[j]).square().sum())
               for i in range(len(points)) for j in range(len(points)) if i != j}  # fmt: skip
    total = torch.stack(list(kernels.values())).sum()
    terms = [attraction[pair] * (attraction[pair] / (kernel / total)).log() for pair, kernel in kernels.items()]
    return torch.stack(terms).sum()


def test_the_slope_is_that_of_the_divergence():
    attraction, points = joint(drawn(9, 3), 2.5), drawn(9, 2, seed=1).requires_grad_()
    divergence(points, attraction).backward()
    torch.testing.assert_close(gradient(points.detach(), attraction), points.grad)
    symmetric_gaussian = attraction - torch.softmax(-torch.cdist(points, points).square().flatten(), 0).view(9, 9)
    wrong = 4 * (symmetric_gaussian.sum(1, keepdim=True) * points - symmetric_gaussian @ points)  # SNE without the t
    assert not torch.allclose(wrong, points.grad, rtol=0.1)


def test_clusters_stay_together_and_the_divergence_falls():
    centres = 4 * drawn(3, 5, seed=2)
    features = (centres.unsqueeze(1) + drawn(3, 20, 5)).flatten(0, 1)
    attraction = joint(features, PERPLEXITY)
    found = tsne(features, perplexity=PERPLEXITY, steps=1000).double()
    plane, _ = principal_plane(features)
    flat = min(divergence(size * plane, attraction).item() for size in (0.1, 0.3, 1, 3, 10, 30))
    assert divergence(found, attraction) < 0.4 * flat
    assert gradient(found, attraction).abs().max() < 1e-4
    nearest = torch.cdist(found, found).fill_diagonal_(torch.inf).argmin(1)
    assert torch.equal(nearest // 20, torch.arange(60) // 20)
    assert torch.equal(found.float(), tsne(features, perplexity=PERPLEXITY, steps=1000))


def test_a_line_has_no_map():
    with pytest.raises(ValueError, match=r"two features of two numbers: got \[12, 1\]"):
        tsne(drawn(12, 1))
