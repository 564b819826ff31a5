"""Formulas of the steps in the graph of a gradient against torch."""

import pytest
import torch

from gradlab.explain.derivatives.derivative import Derivative, Input
from gradlab.explain.derivatives.second_order import SECOND_ORDER

FUNCTIONS = {
    "TanhBackwardBackward0": torch.tanh,
    "SigmoidBackwardBackward0": torch.sigmoid,
    "ThresholdBackwardBackward0": torch.relu,
    "SoftmaxBackwardDataBackward0": lambda x: x.softmax(-1),
    "LogSoftmaxBackwardDataBackward0": lambda x: x.log_softmax(-1),
}


def gradient_of(function):
    def gradient(x):
        return torch.autograd.grad(function(x).pow(3).sum(), x, create_graph=True)[0]

    return gradient


@pytest.mark.parametrize("node", FUNCTIONS)
def test_formula_is_torch_s(node, agrees, drawn):
    agrees(node, gradient_of(FUNCTIONS[node]), drawn(2, 3))


@pytest.mark.parametrize("power", [2, 3])
def test_a_second_derivative_by_hand(power):
    """The second derivative of x^n is n (n - 1) x^(n - 2)."""
    x = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad((x**power).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.tolist() == [power * (power - 1) * number ** (power - 2) for number in (2.0, 3.0)]


def test_every_step_is_tried():
    assert {entry.node for entry in SECOND_ORDER} == set(FUNCTIONS)


def test_a_wrong_formula_is_found(agrees, drawn, monkeypatch):
    inputs = (
        Input("h", "", "", lambda s: s.g * (1 - s.output**2)),
        Input("r", "", "", lambda s: -s.g * s.grad_output * s.output),  # the 2 forgotten
    )
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", (Derivative("TanhBackwardBackward0", "", inputs),))
    with pytest.raises(AssertionError):
        agrees("TanhBackwardBackward0", gradient_of(torch.tanh), drawn(2, 3))
