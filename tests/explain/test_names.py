"""Names of tensors: variables first, parameters by their path, steps otherwise."""

import torch
from torch import nn

from gradlab.explain.graph import walk
from gradlab.explain.names import Names


def test_variables_parameters_and_nameless_leaves():
    model, x = nn.Linear(2, 1), torch.ones(1, 2)
    y = model(x) * torch.ones((), requires_grad=True)
    graph = walk(y)
    names = Names(graph, {"x": x, "model": model, "y": y, "again": y, "text": "not a tensor"})
    assert names.of(graph.nodes[0]) == "y"
    assert names.tensor(graph.nodes[0]) is y
    leaves = {names.of(node) for step, node in enumerate(graph.nodes) if graph.is_leaf(step)}
    assert leaves == {"model.weight", "model.bias", "the leaf"}
    assert names.of(graph.nodes[1]) == ""


def test_tensors_of_other_graphs_are_no_harm():
    x = torch.ones(2, requires_grad=True)
    other = torch.ones(2, requires_grad=True)
    graph = walk(x.exp())
    names = Names(graph, {"other": other, "x": x, "far": other * 2})
    assert [names.of(node) for node in graph.nodes] == ["", "x"]
