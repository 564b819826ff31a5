"""Binary cross entropy against the handbook's formula."""

import math

import pytest
import torch
from torch import nn

from gradlab.objectives import binary_classification


@pytest.mark.parametrize("shape", [(4, 1), (4,)])
@pytest.mark.parametrize("kind", [torch.int64, torch.float32, torch.bool])
def test_equals_the_handbook_s_formula(shape, kind):
    logits, labels = torch.tensor([-2.0, 0.5, 3.0, -0.1]), torch.tensor([0, 1, 0, 1]).to(kind)
    loss, sums = binary_classification(nn.Identity(), logits.view(shape), labels)
    x, y = logits.sigmoid().double(), labels.double()
    torch.testing.assert_close(loss.double(), -(y * x.log() + (1 - y) * (1 - x).log()).mean())
    assert sums["accuracy"] == 2


def test_large_logits_stay_exact_where_a_sigmoid_rounds():
    loss, _ = binary_classification(nn.Identity(), torch.tensor([200.0]), torch.tensor([0]))
    assert loss.item() == 200
    assert math.isinf(nn.BCELoss()(torch.tensor([200.0]).sigmoid(), torch.tensor([0.0])).item()) is False  # cut at 100
    assert nn.BCELoss()(torch.tensor([200.0]).sigmoid(), torch.tensor([0.0])).item() == 100


def test_a_half_is_the_loss_of_knowing_nothing():
    loss, _ = binary_classification(nn.Identity(), torch.zeros(5, 1), torch.tensor([0, 1, 1, 0, 1]))
    assert loss.item() == pytest.approx(math.log(2))


def test_two_logits_a_sample_are_refused():
    with pytest.raises(ValueError, match="one logit a sample: got 8 for 4"):
        binary_classification(nn.Identity(), torch.zeros(4, 2), torch.zeros(4))
