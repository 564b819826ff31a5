"""The walk through torch's graph, and what its backward pass sends."""

import pytest
import torch

from gradlab.explain import explain
from gradlab.explain.graph import Edge, backward, walk


def names(graph):
    return [node.name().rpartition(":")[2] for node in graph.nodes]


def test_steps_stand_after_all_that_use_them():
    x = torch.ones(3, requires_grad=True)
    a = x * 2
    y = (a.exp() + a.sin() * x).sum()
    graph = walk(y)
    assert names(graph) == [
        "SumBackward0", "AddBackward0", "MulBackward0", "SinBackward0", "ExpBackward0", "MulBackward0",
        "AccumulateGrad",
    ]  # fmt: skip
    for step, edges in enumerate(graph.edges):
        assert all(edge is None or edge.step > step for edge in edges)
    assert graph.users(5) == [(3, 0), (4, 0)]
    assert graph.edges[2] == (Edge(3, 0), Edge(6, 0))


def test_a_leaf_by_itself_is_a_graph_of_one_step():
    x = torch.ones(2, requires_grad=True)
    graph = walk(x)
    assert names(graph) == ["AccumulateGrad"]
    assert graph.nodes[0].variable is x


def test_gradients_are_those_of_torch_and_change_nothing():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    sent = backward(y, walk(y), torch.tensor([1.0, 10.0]))
    assert sent[0].arriving[0].tolist() == [1, 10]
    assert sent[0].leaving[0].tolist() == [2, 40]
    assert sent[1] is None
    assert x.grad is None
    y.sum().backward()  # the graph is still there, and no hook is left
    assert x.grad.tolist() == [2, 4]


def test_outputs_that_are_not_used_have_no_gradient():
    x = torch.eye(3, requires_grad=True)
    first, *_ = x.unbind()
    graph = walk(first.sum())
    sent = backward(first.sum() * 1, walk(first.sum() * 1), torch.tensor(1.0))
    unbind = next(step for step, node in enumerate(graph.nodes) if "Unbind" in node.name())
    assert [gradient is None for gradient in sent[unbind + 1].arriving] == [False, True, True]


def test_hooks_are_taken_away_when_the_pass_fails():
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        backward(y, walk(y), torch.ones(2))


def test_long_chains_need_no_recursion():
    x = torch.ones((), requires_grad=True)
    y = x
    for _ in range(3000):
        y = y + 1
    graph = walk(y)
    assert len(graph.nodes) == 3001
    assert graph.edges[0][0] == Edge(1, 0)


def test_gradients_that_retain_grad_asked_for_are_put_back():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.retain_grad()
    out = (y * y).sum() * 2
    explain(out, names={"x": x, "y": y})
    assert y.grad is None
    out.backward(retain_graph=True)
    explain(out, names={"x": x, "y": y})
    assert y.grad.tolist() == [12.0, 24.0]
