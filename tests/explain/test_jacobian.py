"""Whole Jacobians against torch's and finite differences."""

import pytest
import torch

from gradlab.explain import Tape, explain
from gradlab.explain import jacobian as module


def first_jacobian(function, x):
    with Tape():
        output = function(x)
    return explain(output, names={"x": x}, jacobian=True).steps[0].flows[0].jacobian


@pytest.mark.parametrize("function", [torch.exp, lambda x: x.softmax(0), lambda x: x.cumsum(0), lambda x: x[1:]])
def test_jacobian_is_torch_s_and_that_of_differences(function):
    x = torch.tensor([0.1, 0.5, -0.3], requires_grad=True)
    found = first_jacobian(function, x)
    assert torch.allclose(found.matrix.float(), torch.autograd.functional.jacobian(function, x.detach()), atol=1e-6)
    assert found.product_error < 1e-6
    assert found.difference_error < 1e-6


def test_both_factors_have_their_own():
    a, b = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    with Tape():
        y = a / b
    flows = explain(y, names={"a": a, "b": b}, jacobian=True).steps[0].flows
    assert flows[0].jacobian.matrix.diag().tolist() == pytest.approx([1 / 3, 1 / 4])
    assert flows[1].jacobian.matrix.diag().tolist() == pytest.approx([-1 / 9, -2 / 16])
    assert max(flow.jacobian.difference_error for flow in flows) < 1e-6


def test_elementwise_jacobians_are_diagonal():
    found = first_jacobian(torch.tanh, torch.tensor([0.1, 0.2], requires_grad=True))
    assert found.matrix[0, 1] == found.matrix[1, 0] == 0


def test_random_calls_and_unwatched_ones_are_not_repeated():
    torch.manual_seed(0)
    x = torch.ones(20, requires_grad=True)
    with Tape():
        y = torch.nn.functional.dropout(x)
    assert explain(y, jacobian=True).steps[0].flows[0].jacobian.difference_error is None
    assert explain(x.exp(), jacobian=True).steps[0].flows[0].jacobian.difference_error is None


def test_a_wrong_formula_fails_both_proofs(monkeypatch):
    from gradlab.explain.derivatives.derivative import unary

    wrong = unary("Exp", "exp(x)", "1", lambda _saved: 1)
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", (wrong,))
    found = first_jacobian(torch.exp, torch.ones(2, requires_grad=True))
    assert found.product_error == pytest.approx(torch.e - 1, rel=1e-6)
    assert found.difference_error == pytest.approx(torch.e - 1, rel=1e-6)


def test_unknown_operations_use_torch_s_own_step(monkeypatch):
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", ())
    found = first_jacobian(torch.exp, torch.zeros(2, requires_grad=True))
    assert found.matrix.tolist() == [[1, 0], [0, 1]]


def test_large_ones_are_not_made(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 8)
    assert first_jacobian(torch.exp, torch.ones(3, requires_grad=True)) is None
