"""Formulas of losses against torch."""

import pytest
import torch
from torch.nn import functional

from gradlab.explain.derivatives import derivative_of
from gradlab.explain.derivatives.derivative import Derivative, Input
from gradlab.explain.derivatives.losses import LOSSES

CLASSES = torch.tensor([2, 0, 1])
WEIGHT = torch.tensor([0.5, 1.0, 2.0, 0.1]).double()
REDUCTIONS = ("mean", "sum", "none")
TWO = {
    "MseLossBackward0": functional.mse_loss,
    "SmoothL1LossBackward0": lambda x, t, reduction: functional.smooth_l1_loss(x, t, beta=0.3, reduction=reduction),
    "HuberLossBackward0": lambda x, t, reduction: functional.huber_loss(x, t, delta=0.3, reduction=reduction),
    "BinaryCrossEntropyBackward0": functional.binary_cross_entropy,
    "BinaryCrossEntropyWithLogitsBackward0": functional.binary_cross_entropy_with_logits,
}


@pytest.mark.parametrize("node", TWO)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_formula_is_torch_s(node, reduction, agrees, drawn):
    agrees(node, lambda x, t: TWO[node](x, t, reduction=reduction), drawn(3, 4), drawn(3, 4, seed=1))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("ignored", [-100, 0])
def test_negative_log_likelihood(reduction, weight, ignored, agrees, drawn):
    agrees(
        "NllLossBackward0",
        lambda x: functional.nll_loss(x, CLASSES, weight, ignore_index=ignored, reduction=reduction),
        drawn(3, 4),
    )
    if reduction == "mean":
        agrees("NllLossBackward0", lambda x: functional.nll_loss(x, CLASSES[0], weight), drawn(4))


def test_weights_of_entries_and_of_positives(agrees, drawn):
    weight, target = drawn(4, seed=2).detach(), drawn(3, 4, seed=1).detach()
    agrees(
        "BinaryCrossEntropyWithLogitsBackward0",
        lambda x: functional.binary_cross_entropy_with_logits(x, target, weight.expand(3, 4), pos_weight=weight * 3),
        drawn(3, 4),
    )
    agrees(
        "BinaryCrossEntropyBackward0",
        lambda x: functional.binary_cross_entropy(x, target, weight.expand(3, 4)),
        drawn(3, 4),
    )


def test_every_loss_is_tried():
    assert {entry.node for entry in LOSSES} == {*TWO, "NllLossBackward0"}


def test_a_weight_of_positives_with_a_gradient_for_the_target_is_unknown(drawn):
    loss = functional.binary_cross_entropy_with_logits(drawn(3), drawn(3, seed=1), pos_weight=torch.ones(3).double())
    assert derivative_of(loss.grad_fn) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s: s.g * (s.self - s.target) / s.self.numel(),  # the 2 forgotten
        lambda s: s.g * 2 * (s.self - s.target),  # the mean forgotten
        lambda s: s.g * 2 * (s.target - s.self) / s.self.numel(),  # the sign
    ],
)
def test_a_wrong_formula_is_found(wrong, agrees, drawn, monkeypatch):
    table = (Derivative("MseLossBackward0", "", (Input("x", "", "", wrong),)),)
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", table)
    with pytest.raises(AssertionError):
        agrees("MseLossBackward0", functional.mse_loss, drawn(3, 4), drawn(3, 4, seed=1))
