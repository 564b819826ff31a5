"""Explanations: true numbers, true formulas, and the traps of autograd told."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.errors import UsageError
from gradlab.explain import Tape, explain
from gradlab.explain.telling import agrees
from gradlab.models import LeNet, ResNet, VisionTransformer


def numbers(text: str) -> list:
    import json

    return json.loads(text)


def all_flows(explanation):
    return [flow for step in explanation.steps for flow in step.flows]


def notes(explanation) -> str:
    return " | ".join(note for step in explanation.steps for note in step.notes)


def test_a_whole_chain_by_hand():
    """y = sum(w exp(x)): the gradient of x is w exp(x), that of w is exp(x)."""
    x, w = torch.zeros(2, requires_grad=True), torch.tensor([2.0, 3.0], requires_grad=True)
    y = (w * x.exp()).sum()
    told = explain(y, names={"x": x, "w": w, "y": y})
    assert [step.node for step in told.steps] == ["SumBackward0", "MulBackward0", "ExpBackward0"]
    assert {leaf.name: numbers(leaf.gradient.numbers) for leaf in told.leaves} == {"w": [1, 1], "x": [2, 3]}
    assert told.steps[2].outputs[0].numbers == "[1, 1]", "exp keeps its result, although nobody watched"
    assert x.grad is None
    assert w.grad is None


def test_gradients_are_torch_s_for_whole_networks():
    torch.manual_seed(0)
    transformer = VisionTransformer(8, 12, 3, 2, 1, 3, 4, 4)
    residual = ResNet(num_classes=3, num_blocks=[1, 1], c_hidden=[4, 6])
    for model, shape in [(LeNet(16, num_classes=3), (1, 16, 16)), (residual, (3, 8, 8)), (transformer, (3, 8, 8))]:
        model.eval()
        loss = functional.cross_entropy(model(torch.rand(2, *shape)), torch.tensor([1, 2]))
        told = explain(loss, names={"model": model})
        assert all(step.operation for step in told.steps), [step.node for step in told.steps if not step.operation]
        assert all(agrees(flow) for flow in all_flows(told) if flow.difference is not None)
        named = {leaf.name.removeprefix("model.") for leaf in told.leaves}
        assert named == {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_broadcast_gradients_are_summed_back():
    bias = torch.zeros(2, requires_grad=True)
    told = explain((torch.ones(3, 2) + bias).sum(), names={"bias": bias})
    (flow,) = told.steps[1].flows
    assert (flow.summed, flow.gradient.shape) == ("[3, 2]", (2,))
    assert told.leaves[0].gradient.numbers == "[3, 3]"


def test_a_tensor_used_twice_gets_both_gradients():
    x = torch.tensor([3.0], requires_grad=True)
    a = x * 1
    y = a * a
    told = explain(y, names={"a": a, "x": x})
    assert "used 2 times, by #1" in notes(told)
    assert told.leaves[0].gradient.numbers == "[6]"
    twice = explain(x + x, names={"x": x})
    assert "used 2 times" in twice.leaves[0].notes[0]
    assert twice.leaves[0].gradient.numbers == "[2]"


def test_leaves_that_hold_a_gradient_say_so():
    x = torch.ones(2, requires_grad=True)
    x.sum().backward()
    (leaf,) = explain((2 * x).sum(), names={"x": x}).leaves
    assert (leaf.held.numbers, leaf.gradient.numbers) == ("[1, 1]", "[2, 2]")
    assert "zero it first" in leaf.notes[0]
    assert x.grad.tolist() == [1, 1]


def test_retained_gradients_are_told_apart():
    x = torch.ones(2, requires_grad=True)
    a = x * 2
    b = a * 3
    a.retain_grad()
    told = notes(explain(b.sum(), names={"a": a, "b": b}))
    assert "a.retain_grad() was called: a.grad keeps g" in told
    assert "b.grad stays None unless b.retain_grad()" in told


def test_several_outputs():
    x = torch.tensor([[1.0, 5.0, 2.0], [7.0, 0.0, 3.0]], requires_grad=True)
    largest, places = x.max(1)
    told = explain(largest.sum(), names={"x": x, "largest": largest})
    assert told.leaves[0].gradient.numbers == "[[0, 1, 0], [1, 0, 0]]"
    first, _second, third = x.unbind(1)
    told = explain((first * third).sum(), names={"x": x})
    assert "nothing arrives at 1, which counts as zeros" in notes(told)
    assert told.leaves[0].gradient.numbers == "[[2, 0, 1], [3, 0, 7]]"
    with pytest.raises(UsageError, match="int64 numbers, which have no gradient"):
        explain(places)


def test_views_are_named():
    x = torch.ones(2, 3, requires_grad=True)
    assert "A view" in notes(explain(x.t().sum()))
    assert "A view" not in notes(explain(x.exp().sum()))


def test_in_place_operations_that_break_backward_are_a_fault():
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    z = y.sum()
    y.add_(1)
    told = explain(z, names={"x": x})
    assert "is at version 1; expected version 0" in told.fault
    assert told.steps[0].flows[0].gradient is None
    assert "backward() fails" in str(told)


def test_harmless_in_place_operations_are_told():
    x = torch.ones(2, requires_grad=True)
    with Tape() as tape:
        y = x * 2
        y.mul_(3)
    told = explain(y.sum(), names={"x": x, "y": y}, tape=tape)
    assert "In place: mul_ overwrote" in notes(told)
    assert told.leaves[0].gradient.numbers == "[6, 6]"


def test_second_order():
    x = torch.tensor([2.0], requires_grad=True)
    (slope,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    told = explain(slope, names={"x": x})
    assert told.leaves[0].gradient.numbers == "[12]"
    assert all(step.operation for step in told.steps)
    (curve,) = torch.autograd.grad(slope, x, create_graph=True)
    assert explain(curve, names={"x": x}).leaves[0].gradient.numbers == "[6]"


def test_an_unknown_step_is_shown_as_unknown():
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, numbers):
            return 2 * numbers

        @staticmethod
        def backward(ctx, gradient):
            return 2 * gradient

    x = torch.ones(2, requires_grad=True)
    told = explain(Doubled.apply(x).sum(), names={"x": x}, jacobian=True)
    step = told.steps[1]
    assert (step.node, step.operation) == ("DoubledBackward", "")
    assert (step.flows[0].local, step.flows[0].vjp, step.flows[0].difference) == ("", "", None)
    assert "no formula for DoubledBackward" in step.notes[0]
    assert told.leaves[0].gradient.numbers == "[2, 2]"
    assert "unknown formula = [2, 2]" in str(told)


def test_a_formula_that_does_not_hold_is_said_not_to(monkeypatch):
    from gradlab.explain.derivatives.derivative import unary

    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", (unary("Exp", "exp(x)", "1", lambda _saved: 1),))
    told = explain(torch.ones(2, requires_grad=True).exp())
    assert "does not hold here" in str(told)


def test_infinite_slopes_agree():
    told = explain(torch.tensor([0.0, 1.0], requires_grad=True).sqrt())
    assert told.steps[0].flows[0].gradient.numbers == "[inf, 0.5]"
    assert told.steps[0].flows[0].difference == 0


def test_formulas_hold_in_half_precision():
    x = torch.rand(4, dtype=torch.bfloat16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert all(agrees(flow) for flow in all_flows(explain((x.tanh() * x).sum())))


def test_outputs_that_are_no_single_number_start_with_ones_or_with_what_is_given():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert "all ones" in explain(x**2).notes[0]
    told = explain(x**2, gradient=torch.tensor([1.0, 10.0]), names={"x": x})
    assert told.leaves[0].gradient.numbers == "[2, 40]"
    with pytest.raises(UsageError, match=r"needs the output's shape: got \[2\] and \[3\]"):
        explain(x**2, gradient=torch.ones(3))


def test_large_tensors_are_told_by_statistics():
    x = torch.ones(100, requires_grad=True)
    (leaf,) = explain((2 * x).sum()).leaves
    assert leaf.value.numbers == "100 numbers: mean 1, std 0, 1 to 1"


def without_graph():
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        return x * 2


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (torch.ones(2), "has no graph: nothing that it was computed from has requires_grad=True"),
        (torch.ones(2, requires_grad=True), "is a leaf"),
        (torch.arange(3), "int64 numbers, which have no gradient"),
        (without_graph(), "computed under no_grad"),
        (torch.ones(2, requires_grad=True).exp().detach(), "detached"),
    ],
)
def test_what_has_no_graph_is_one_clear_line(output, message):
    with pytest.raises(UsageError, match=message) as caught:
        explain(output)
    assert "\n" not in str(caught.value)


def test_a_freed_graph_is_one_clear_line():
    x = torch.ones(2, requires_grad=True)
    y = x.exp().sum()
    y.backward()
    with pytest.raises(UsageError, match=r"freed by a backward pass: call backward\(retain_graph=True\)"):
        explain(y)


def test_nested_networks_name_their_parameters():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    told = explain(model(torch.ones(1, 2)), names={"net": model})
    assert {leaf.name for leaf in told.leaves} == {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"}
