"""Alignment and uniformity against loops, the principal plane against numpy."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradlab.evaluation import alignment, geometry, principal_plane, uniformity


def drawn(seed: int, count: int = 12) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_alignment_is_the_mean_squared_distance_of_directions():
    first, second = drawn(0), drawn(1)
    expected = [sum((a / a.norm() - b / b.norm()) ** 2).item() for a, b in zip(first, second, strict=True)]
    assert alignment(first, second) == pytest.approx(sum(expected) / 12)
    assert alignment(first, 3 * first) == pytest.approx(0)
    assert alignment(first, -first) == pytest.approx(4)


def test_uniformity_is_that_of_all_pairs(monkeypatch):
    monkeypatch.setattr(geometry, "ROWS_AT_ONCE", 5)
    directions = F.normalize(drawn(0), dim=1)
    terms = [math.exp(-2 * (directions[i] - directions[j]).square().sum()) for i in range(12) for j in range(i)]
    assert uniformity(drawn(0)) == pytest.approx(math.log(sum(terms) / len(terms)))
    with_itself = math.log((2 * sum(terms) + 12) / 144)  # wrong: every feature is a pair with itself
    assert uniformity(drawn(0)) != pytest.approx(with_itself, abs=1e-3)


def test_uniformity_is_0_where_all_agree_and_least_on_a_whole_sphere():
    assert uniformity(drawn(0, 1).repeat(9, 1)) == pytest.approx(0, abs=1e-9)
    sphere = torch.randn(2000, 512, generator=torch.Generator().manual_seed(0))
    assert uniformity(sphere) == pytest.approx(-4, abs=0.05)
    with pytest.raises(ValueError, match="at least two features: got 1"):
        uniformity(drawn(0, 1))


def test_the_plane_is_that_of_the_covariance():
    values = drawn(3, 40) * torch.tensor([3.0, 0.1, 5.0, 1.0, 0.5]).double() + 7
    plane, shares = principal_plane(values)
    sizes, axes = np.linalg.eigh(np.cov(values.numpy().T))
    for column, axis in enumerate((axes[:, -1], axes[:, -2])):
        turned = axis * np.sign(axis[np.abs(axis).argmax()])
        np.testing.assert_allclose(plane[:, column], (values - values.mean(0)).numpy() @ turned, rtol=0, atol=1e-9)
    np.testing.assert_allclose(shares, sizes[::-1][:2] / sizes.sum())
    assert torch.equal(principal_plane(values)[0], plane)


def test_a_line_has_no_plane():
    with pytest.raises(ValueError, match=r"two features of two numbers: got \[12, 1\]"):
        principal_plane(drawn(0)[:, :1])
