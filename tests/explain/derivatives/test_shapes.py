"""Formulas of views, selections and joins against torch."""

import pytest
import torch
from torch.nn import functional

from gradlab.explain.derivatives.derivative import Derivative, Input
from gradlab.explain.derivatives.shapes import SHAPES
from gradlab.explain.derivatives.stated import stated_gradients

ROWS = torch.tensor([2, 0, 2])
PLACES = torch.tensor([[[0, 1, 1, 0], [2, 2, 2, 2], [0, 0, 1, 1]]] * 2)
CASES = {
    "ViewBackward0": [lambda x: x.view(6, 4)],
    "UnsafeViewBackward0": [lambda x: x.transpose(0, 1).reshape(24)],
    "ReshapeAliasBackward0": [lambda x: (x.transpose(0, 1).expand(3, 2, 4) @ x[0, 0]).sum() + _reshaped_alias(x)],
    "SqueezeBackward0": [lambda x: x[:, :1].squeeze()],
    "SqueezeBackward1": [lambda x: x[:, :1].squeeze(1)],
    "SqueezeBackward2": [lambda x: x[:1, :1].squeeze((0, 1))],
    "UnsqueezeBackward0": [lambda x: x.unsqueeze(-1)],
    "TBackward0": [lambda x: x[0].t()],
    "TransposeBackward0": [lambda x: x.transpose(0, -1)],
    "PermuteBackward0": [lambda x: x.permute(2, 0, 1), lambda x: x.permute(-1, 0, 1)],
    "ExpandBackward0": [lambda x: x.unsqueeze(1).expand(2, 5, 3, 4), lambda x: x.expand(5, -1, -1, -1)],
    "RepeatBackward0": [lambda x: x.repeat(1, 2, 3), lambda x: x.repeat(2, 1, 1, 2)],
    "SelectBackward0": [lambda x: x[1], lambda x: x[..., -1]],
    "SliceBackward0": [lambda x: x[1:], lambda x: x[:, :, 1:4:2], lambda x: x[:, -2:]],
    "IndexBackward0": [lambda x: x[:, ROWS], lambda x: x[x > 0.5], lambda x: x[ROWS % 2, ROWS]],
    "IndexSelectBackward0": [lambda x: x.index_select(1, ROWS)],
    "GatherBackward0": [lambda x: x.gather(1, PLACES)],
    "MaskedSelectBackward0": [lambda x: x.masked_select(x > 0.5)],
    "FlipBackward0": [lambda x: x.flip(0, -1)],
    "RollBackward0": [lambda x: x.roll(1, 2), lambda x: x.roll((-1, 1), (0, 1))],
    "TrilBackward0": [lambda x: x.tril(), lambda x: x.tril(-1)],
    "TriuBackward0": [lambda x: x.triu(1)],
    "DiagonalBackward0": [lambda x: x.diagonal(0, 1, 2), lambda x: x[0].diagonal(-1)],
    "DiagonalBackward0_copy": [lambda x: x[0].diag(1)],
    "ConstantPadNdBackward0": [lambda x: functional.pad(x, (1, 2)), lambda x: functional.pad(x, (1, -1, 0, 2))],
    "CatBackward0": [
        lambda x: torch.cat([x, 2 * x[:, :1], x], 1),
        lambda x: torch.cat([x, torch.ones(2, 3, 1)], -1),
        lambda x: torch.cat([torch.ones(2, 3, 1), x], -1),
    ],
    "StackBackward0": [lambda x: torch.stack([x, x**2, torch.ones_like(x)], 1)],
    "SplitBackward0": [lambda x: x.split(2, 2)[1], lambda x: x.split(2, 1)],
    "UnsafeSplitBackward0": [lambda x: torch.unsafe_split(x, 2, -1)[0]],
    "SplitWithSizesBackward0": [lambda x: x.split([1, 3], 2)[1]],
    "UnbindBackward0": [lambda x: x.unbind(1)[2], lambda x: sum(x.unbind(-1)[:2])],
    "ScatterBackward0": [lambda x: x.scatter(1, PLACES[:, :1], 3 * x[:, :1])],
}


def _reshaped_alias(x):
    """A batch of products reshapes its second factor without a copy."""
    return (x @ x.transpose(1, 2)).sum()


@pytest.mark.parametrize(("node", "function"), [(node, function) for node in CASES for function in CASES[node]])
def test_formula_is_torch_s(node, function, agrees, drawn):
    agrees(node, function, drawn(2, 3, 4))


def test_every_function_is_tried():
    assert {entry.node for entry in SHAPES} == set(CASES)


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        ("PermuteBackward0", lambda s: s.g.permute(*s.dims)),  # the permutation itself, not its inverse
        ("TransposeBackward0", lambda s: s.g.reshape(s.shape)),  # a transpose is no reshape
        ("IndexBackward0", lambda s: torch.zeros(s.shape).double().index_put(s.indices, s.g, accumulate=False)),
        ("ExpandBackward0", lambda s: s.g.sum_to_size(s.shape) / 5),  # the mean of the copies
        ("RollBackward0", lambda s: s.g.roll(s.shifts, s.dims)),  # shifted on, not back
    ],
)
def test_a_wrong_formula_is_found(node, wrong, agrees, drawn, monkeypatch):
    table = (Derivative(node, "", (Input("x", "", "", wrong),)),)
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", table)
    function = (lambda x: x[torch.tensor([0, 0, 1])]) if node == "IndexBackward0" else CASES[node][0]
    with pytest.raises((AssertionError, RuntimeError)):
        agrees(node, function, drawn(2, 3, 4))


def test_joined_inputs_without_gradients_hide_the_others_places(drawn):
    """Between two constants the graph does not say where an input lies: no guess is made."""
    x = drawn(2, 1)
    output = torch.cat([torch.ones(2, 2), x, torch.ones(2, 3)], 1)
    entry = next(entry for entry in SHAPES if entry.node == "CatBackward0")
    with pytest.raises(LookupError):
        stated_gradients(entry, output.grad_fn, (torch.ones(2, 6),))
