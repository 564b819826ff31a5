"""The loss of BYOL against a loop in float64."""

import math

import pytest
import torch
from torch import Tensor, nn

from gradlab.objectives import byol, byol_loss


def drawn(seed: int) -> Tensor:
    return torch.randn(10, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loops(predictions: Tensor, targets: Tensor) -> float:
    """The paper's equation 2 for each image, both ways, and the mean over the images."""

    def unit(row):
        length = math.sqrt(sum(number**2 for number in row))
        return [number / length for number in row]

    total = 0.0
    for image in range(5):
        for view in range(2):
            foretold = unit(predictions[5 * view + image].tolist())
            made = unit(targets[5 * (1 - view) + image].tolist())
            total += sum((a - b) ** 2 for a, b in zip(foretold, made, strict=True))
    return total / 5


def same_view(predictions: Tensor, targets: Tensor) -> Tensor:
    """Wrong: a view foretells itself."""
    return byol_loss(predictions, targets.roll(5, 0))


def not_normalised(predictions: Tensor, targets: Tensor) -> Tensor:
    """Wrong: lengths count."""
    return (predictions - targets.roll(5, 0)).square().sum() / 5


def mean_over_views(predictions: Tensor, targets: Tensor) -> Tensor:
    """Wrong: half, a mean over both ways for their sum."""
    return byol_loss(predictions, targets) / 2


def into_the_target(predictions: Tensor, targets: Tensor) -> Tensor:
    """Wrong: the target learns, too."""
    return by_units(predictions, targets)


def by_units(predictions: Tensor, targets: Tensor) -> Tensor:
    first, second = (nn.functional.normalize(rows, dim=1) for rows in (predictions, targets.roll(5, 0)))
    return (first - second).square().sum() / 5


def check_is_the_loop(loss) -> None:
    predictions, targets = drawn(0).requires_grad_(), drawn(1).requires_grad_()
    found = loss(predictions, targets)
    assert found.item() == pytest.approx(by_loops(predictions, targets), abs=1e-12)
    found.backward()
    assert predictions.grad is not None
    assert predictions.grad.abs().sum() > 0
    assert targets.grad is None, "the target must not learn"


def test_is_the_loop():
    check_is_the_loop(byol_loss)


@pytest.mark.parametrize("wrong", [same_view, not_normalised, mean_over_views, into_the_target])
def test_mistakes_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_is_the_loop(wrong)


def test_for_training_it_takes_both_from_the_network():
    class Both(nn.Module):
        def forward(self, views):
            return views, 2 * views + 1

    loss, sums = byol(Both(), drawn(0), torch.zeros(5))
    torch.testing.assert_close(loss, byol_loss(drawn(0), 2 * drawn(0) + 1))
    assert sums == {}


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"the same for both: got \[10, 4\] and \[10, 3\]"):
        byol_loss(drawn(0), drawn(1)[:, :3])
    with pytest.raises(ValueError, match=r"\[2N, D\]"):
        byol_loss(drawn(0)[:3], drawn(1)[:3])
