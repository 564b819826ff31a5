"""The supervised contrastive loss against a double loop in float64."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.objectives import info_nce_loss, supervised_contrastive, supervised_contrastive_loss

LABELS = torch.tensor([0, 1, 0, 2, 1, 0])


def drawn(images: int = 6) -> Tensor:
    return torch.randn(2 * images, 4, generator=torch.Generator().manual_seed(images), dtype=torch.float64)


def by_loops(features: Tensor, labels: Tensor, temperature: float) -> float:
    """The paper's equation 2, anchor by anchor."""
    cosines = F.cosine_similarity(features[:, None], features[None], dim=2).tolist()
    of_views, total = [*labels.tolist(), *labels.tolist()], 0.0
    for i, row in enumerate(cosines):
        others = sum(math.exp(cosine / temperature) for k, cosine in enumerate(row) if k != i)
        positives = [k for k in range(len(row)) if k != i and of_views[k] == of_views[i]]
        total -= sum(math.log(math.exp(row[k] / temperature) / others) for k in positives) / len(positives)
    return total / len(cosines)


def mean_inside(features: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Wrong: the paper's other equation, with the mean inside the logarithm."""
    cosines = F.cosine_similarity(features[:, None], features[None], dim=2)
    own = torch.eye(len(features), dtype=torch.bool)
    shares = (cosines / temperature).masked_fill(own, -torch.inf).softmax(1)
    same = (labels.repeat(2)[:, None] == labels.repeat(2)) & ~own
    return -((shares * same).sum(1) / same.sum(1)).log().mean()


def sum_over_positives(features: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Wrong: large classes weigh more."""
    counts = (labels.repeat(2)[:, None] == labels.repeat(2)).sum(1) - 1
    return supervised_contrastive_loss(features, labels, temperature) * counts.double().mean()


def views_beside_each_other(features: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Wrong: rows 2i and 2i + 1 are taken to be the views of image i."""
    return supervised_contrastive_loss(torch.cat([features[0::2], features[1::2]]), labels, temperature)


def check_is_the_loop(loss) -> None:
    for temperature in (0.1, 0.5):
        found = float(loss(drawn(), LABELS, temperature))
        assert found == pytest.approx(by_loops(drawn(), LABELS, temperature), abs=1e-12)


def test_is_the_double_loop():
    check_is_the_loop(supervised_contrastive_loss)


@pytest.mark.parametrize("wrong", [mean_inside, sum_over_positives, views_beside_each_other])
def test_mistakes_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_is_the_loop(wrong)


def test_with_labels_that_all_differ_it_is_info_nce():
    torch.testing.assert_close(
        supervised_contrastive_loss(drawn(), torch.arange(6), 0.2), info_nce_loss(drawn(), 0.2), rtol=0, atol=1e-13
    )


def test_the_gradient_is_that_of_finite_differences():
    features = drawn().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: supervised_contrastive_loss(z, LABELS, 0.3), (features,))


def test_for_training_it_is_the_same():
    model = nn.Linear(4, 3).double()
    loss, sums = supervised_contrastive(model, drawn(), LABELS, temperature=0.3)
    torch.testing.assert_close(loss, supervised_contrastive_loss(model(drawn()), LABELS, 0.3))
    assert sums == {}


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="the temperature must be positive: got 0"):
        supervised_contrastive_loss(drawn(), LABELS, 0)
    with pytest.raises(ValueError, match="share a label: got 12 features and 12 labels"):
        supervised_contrastive_loss(drawn(), LABELS.repeat(2), 0.1)
