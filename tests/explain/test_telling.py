"""Explanations as text."""

import torch

from gradlab.explain import Tape, explain
from gradlab.explain.steps import Flow
from gradlab.explain.telling import agrees, checked
from gradlab.explain.values import Value


def test_a_computation_as_text():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with Tape(file="") as tape:
        y = (x * 3).sum()
    lines = str(explain(y, names={"x": x, "y": y}, tape=tape, jacobian=True)).splitlines()
    assert lines[0] == "y = 9 (one number, float32)"
    assert "step 1   y = sum(#2)   (SumBackward0)" in lines
    assert "    to x         g · b = [3, 3]" in lines
    assert "                 J = [[3, 0], [0, 3]]" in lines
    assert lines[-1] == "    x.grad   += [3, 3]   from #2"


def flow_of(difference, dtype="float32"):
    return Flow(name="x", target=1, output=0, told="x", gradient=Value((1,), dtype, "[1]"), difference=difference)


def test_agreement_allows_for_rounding_only():
    assert agrees(flow_of(1e-7))
    assert not agrees(flow_of(1e-3))
    assert agrees(flow_of(1e-3, "bfloat16"))
    assert not agrees(flow_of(float("nan")))
    assert not agrees(flow_of(None))
    assert checked(flow_of(None)) == ""
    assert checked(flow_of(0.0)) == "formula = torch"
    assert "does not hold" in checked(flow_of(0.5))
