"""Formulas of sums, means, extremes, norms and softmax against torch."""

import pytest
import torch
from torch.nn import functional

from gradlab.explain.derivatives.derivative import Derivative, Input
from gradlab.explain.derivatives.reductions import REDUCTIONS

CASES = {
    "SumBackward0": [torch.sum],
    "SumBackward1": [lambda x: x.sum(1), lambda x: x.sum((0, -1), keepdim=True)],
    "MeanBackward0": [torch.mean],
    "MeanBackward1": [lambda x: x.mean(-1), lambda x: x.mean((0, 2)), lambda x: x.mean(1, keepdim=True)],
    "ProdBackward0": [torch.prod, lambda x: (x - x[0, 0, 0].detach()).prod()],
    "ProdBackward1": [lambda x: x.prod(1), lambda x: x.prod(-1, keepdim=True)],
    "MaxBackward0": [lambda x: x.max(1)[0], lambda x: x.max(-1, keepdim=True)[0]],
    "MinBackward0": [lambda x: x.min(0)[0]],
    "MaxBackward1": [torch.max],
    "MinBackward1": [torch.min],
    "AmaxBackward0": [lambda x: x.amax(1), lambda x: x.amax((0, 2), keepdim=True)],
    "AminBackward0": [lambda x: x.amin(1)],
    "MedianBackward0": [lambda x: x.flatten()[:7].median()],
    "SortBackward0": [lambda x: x.sort(1)[0]],
    "TopkBackward0": [lambda x: x.topk(2, -1)[0]],
    "VarBackward0": [torch.var, lambda x: x.var(1), lambda x: x.var((0, 2), correction=0, keepdim=True)],
    "StdBackward0": [torch.std, lambda x: x.std(-1)],
    "LinalgVectorNormBackward0": [torch.linalg.vector_norm, lambda x: x.norm(dim=1), lambda x: x.norm(1, dim=-1)],
    "LogsumexpBackward0": [lambda x: x.logsumexp(1), lambda x: x.logsumexp((0, 2), keepdim=True)],
    "CumsumBackward0": [lambda x: x.cumsum(-1)],
    "SoftmaxBackward0": [lambda x: x.softmax(1), lambda x: x.softmax(-1)],
    "LogSoftmaxBackward0": [lambda x: functional.log_softmax(x, -2)],
    "TraceBackward0": [lambda x: x[0].trace()],
}


@pytest.mark.parametrize(("node", "function"), [(node, function) for node in CASES for function in CASES[node]])
def test_formula_is_torch_s(node, function, agrees, drawn):
    agrees(node, function, drawn(2, 3, 4))


@pytest.mark.parametrize("function", [torch.amax, torch.amin, torch.max])
def test_equals_share_the_gradient(function):
    x = torch.tensor([1.0, 2.0, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    function(x).backward()
    assert sorted(x.grad.tolist()) == [0, 0, 0.5, 0.5]


def test_every_function_is_tried():
    assert {entry.node for entry in REDUCTIONS} == set(CASES)


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        ("MeanBackward0", lambda s: s.g.expand(s.shape)),  # not divided by n
        ("SoftmaxBackward0", lambda s: s.g * s.result * (1 - s.result)),  # the diagonal of the Jacobian only
        ("LogSoftmaxBackward0", lambda s: s.g - s.result.exp()),  # the sum of g forgotten
        ("VarBackward0", lambda s: s.g * 2 * (s.self - s.self.mean()) / s.self.numel()),  # n instead of n - 1
        ("CumsumBackward0", lambda s: s.g.cumsum(-1)),  # from the wrong end
    ],
)
def test_a_wrong_formula_is_found(node, wrong, agrees, drawn, monkeypatch):
    table = (Derivative(node, "", (Input("x", "", "", wrong),)),)
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", table)
    with pytest.raises(AssertionError):
        agrees(node, CASES[node][0], drawn(2, 3, 4))
