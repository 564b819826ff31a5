"""The loss of Barlow twins against a double loop in float64."""

import math

import pytest
import torch
from torch import Tensor, nn

from gradlab.objectives import barlow_twins, barlow_twins_loss


def drawn(images: int = 6, seed: int = 0) -> Tensor:
    return torch.randn(2 * images, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loops(features: Tensor, redundancy: float) -> float:
    """The paper's equations 1 and 2, number by number, with the mean over the batch taken off first."""
    first, second = (view.tolist() for view in features.chunk(2))
    images, numbers, total = len(first), len(first[0]), 0.0
    for i in range(numbers):
        for j in range(numbers):
            a, b = [row[i] for row in first], [row[j] for row in second]
            a, b = [x - sum(a) / images for x in a], [x - sum(b) / images for x in b]
            lengths = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
            correlation = sum(x * y for x, y in zip(a, b, strict=True)) / lengths
            total += (1 - correlation) ** 2 if i == j else redundancy * correlation**2
    return total


def correlated_over_numbers(features: Tensor, redundancy: float) -> Tensor:
    """Wrong axis: each feature is centred over its own numbers."""
    first, second = (nn.functional.normalize(view - view.mean(1, keepdim=True), dim=0) for view in features.chunk(2))
    matrix = first.T @ second
    on = matrix.diagonal()
    return (1 - on).square().sum() + redundancy * (matrix.square().sum() - on.square().sum())


def diagonal_twice(features: Tensor, redundancy: float) -> Tensor:
    """Wrong: the diagonal is part of the redundancy as well."""
    first, second = (nn.functional.normalize(view - view.mean(0), dim=0) for view in features.chunk(2))
    matrix = first.T @ second
    return (1 - matrix.diagonal()).square().sum() + redundancy * matrix.square().sum()


def check_is_the_loop(loss) -> None:
    for images, redundancy in [(2, 0.005), (6, 0.5), (9, 0.0), (9, 2.0)]:
        features = drawn(images, seed=images)
        assert float(loss(features, redundancy)) == pytest.approx(by_loops(features, redundancy), abs=1e-12)


def test_is_the_double_loop():
    check_is_the_loop(barlow_twins_loss)


@pytest.mark.parametrize("wrong", [correlated_over_numbers, diagonal_twice])
def test_mistakes_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_is_the_loop(wrong)


def test_it_is_zero_for_equal_views_of_uncorrelated_numbers():
    corners = torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64)
    assert barlow_twins_loss(corners.repeat(2, 1), 1.0).item() == pytest.approx(0, abs=1e-24)


def test_a_number_that_never_varies_costs_one_and_breaks_nothing():
    features = drawn().index_fill(1, torch.tensor([2]), 0.3).requires_grad_()
    loss = barlow_twins_loss(features, 0.0)
    loss.backward()
    rest = barlow_twins_loss(features.detach()[:, [0, 1, 3]], 0.0)
    assert loss.item() == pytest.approx(rest.item() + 1)
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_the_gradient_is_that_of_finite_differences():
    features = drawn().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: barlow_twins_loss(z, 0.1), (features,))


def test_for_training_it_is_the_same():
    model = nn.Linear(4, 3).double()
    loss, sums = barlow_twins(model, drawn(), torch.zeros(6), redundancy=0.3)
    torch.testing.assert_close(loss, barlow_twins_loss(model(drawn()), 0.3))
    assert sums == {}


def test_what_means_nothing_is_refused():
    with pytest.raises(ValueError, match="must not be negative: got -1"):
        barlow_twins_loss(drawn(), -1)
    with pytest.raises(ValueError, match="at least two images: got 1"):
        barlow_twins_loss(drawn(1))
