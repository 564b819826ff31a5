"""Cross entropy over the tokens that count."""

import pytest
import torch
from torch import nn

from gradlab.objectives import token_classification
from gradlab.objectives.tokens import IGNORED


def by_hand(logits, targets):
    """Token by token: the mean loss over all that count, and each sequence's share of right ones, summed."""
    losses, shares = [], []
    for row, wanted in zip(logits, targets.tolist(), strict=True):
        right = []
        for scores, target in zip(row, wanted, strict=True):
            if target != IGNORED:
                losses.append(-(scores.softmax(-1)[target]).log())
                right.append(float(scores.argmax() == target))
        shares.append(sum(right) / max(len(right), 1))
    return torch.stack(losses).mean(), sum(shares)


@pytest.mark.parametrize("flat", [True, False])
def test_equals_a_double_loop(flat):
    logits = torch.randn(4, 5, 3, dtype=torch.float64)
    targets = torch.randint(3, (4, 5))
    targets[0, 3:] = targets[1] = IGNORED
    shaped = logits.flatten(0, 1) if flat else logits
    loss, sums = token_classification(nn.Identity(), shaped, targets)
    expected_loss, expected_share = by_hand(logits, targets)
    torch.testing.assert_close(loss, expected_loss)
    assert sums["accuracy"].item() == pytest.approx(expected_share)


def test_ignored_tokens_get_no_gradient():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    targets = torch.tensor([[1, IGNORED, 2], [IGNORED, 0, 3]])
    token_classification(nn.Identity(), logits, targets)[0].backward()
    assert ((logits.grad.abs().sum(-1) == 0) == (targets == IGNORED)).all()
