"""Sentences about single steps and leaves; those about whole computations are in test_autograd.py."""

import torch

from gradlab.explain.derivatives import derivative_of
from gradlab.explain.graph import walk
from gradlab.explain.names import Names
from gradlab.explain.notes import grad_note, leaf_notes, step_notes, whole_notes


def of_first_step(output):
    graph = walk(output)
    return step_notes(graph, 0, Names(graph, {}), derivative_of(graph.nodes[0]), [None] * len(output.shape or (1,)))


def test_overwritten_parts_are_told():
    x = torch.ones(3, requires_grad=True)
    y = x + 1
    y[0] = 5.0
    assert "overwritten in place" in of_first_step(y)[0]


def test_plain_steps_need_no_note():
    assert of_first_step(torch.ones(2, requires_grad=True).exp().sum()) == []


def test_the_start_is_told_for_numbers_and_for_tensors():
    assert whole_notes(torch.ones(()), "y", given=False) == ["The backward pass starts with ∂y/∂y = 1."]
    assert "vᵀJ" in whole_notes(torch.ones(2), "y", given=False)[0]
    assert whole_notes(torch.ones(2), "y", given=True) == []


def test_leaves_used_once_with_empty_grad_need_no_note():
    x = torch.ones(2, requires_grad=True)
    assert leaf_notes(x, 1) == []
    assert len(leaf_notes(x, 2)) == 1


def test_the_output_s_own_gradient_is_dropped_as_well():
    y = torch.ones(2, requires_grad=True).sum()
    assert grad_note("y", y, root=True).startswith("y is the output: y.grad stays None")
