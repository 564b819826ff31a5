"""Formulas of products and attention against torch."""

import pytest
import torch
from torch.nn import functional

from gradlab.explain.derivatives.derivative import Derivative, Input
from gradlab.explain.derivatives.products import PRODUCTS

CASES = {
    "DotBackward0": (torch.dot, (4,), (4,)),
    "MvBackward0": (torch.mv, (3, 4), (4,)),
    "AddmvBackward0": (lambda c, a, b: torch.addmv(c, a, b, beta=2, alpha=3), (3,), (3, 4), (4,)),
    "MmBackward0": (torch.mm, (3, 4), (4, 2)),
    "BmmBackward0": (torch.bmm, (2, 3, 4), (2, 4, 5)),
    "AddmmBackward0": (lambda c, a, b: torch.addmm(c, a, b, beta=2, alpha=3), (2,), (3, 4), (4, 2)),
    "BaddbmmBackward0": (lambda c, a, b: torch.baddbmm(c, a, b, beta=2, alpha=3), (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    "LinalgDetBackward0": (lambda a: torch.linalg.det(a + 2 * torch.eye(3)), (3, 3)),
    "LinalgInvExBackward0": (lambda a: torch.linalg.inv(a + 2 * torch.eye(3)), (3, 3)),
    "ScaledDotProductFlashAttentionForCpuBackward0": (
        functional.scaled_dot_product_attention, (1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 5, 4)
    ),
}  # fmt: skip


@pytest.mark.parametrize("node", CASES)
def test_formula_is_torch_s(node, agrees, drawn):
    function, *shapes = CASES[node]
    agrees(node, function, *(drawn(*shape, seed=place) for place, shape in enumerate(shapes)))


@pytest.mark.parametrize(
    ("node", "function", "shapes"),
    [
        ("AddmmBackward0", functional.linear, [(3, 4), (2, 4), (2,)]),
        ("BmmBackward0", lambda a, b: a @ b, [(2, 3, 4), (4, 5)]),
        ("MmBackward0", lambda a, b: torch.einsum("ij,kj->ik", a, b).sum() + (a @ b.T).sum(), [(3, 4), (2, 4)]),
        (
            "ScaledDotProductFlashAttentionForCpuBackward0",
            lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3),
            [(1, 2, 3, 4)] * 3,
        ),
    ],
)
def test_formula_holds_where_others_use_the_product(node, function, shapes, agrees, drawn):
    if node == "BmmBackward0":
        node = "BmmBackward0" if "Bmm" in str(function(drawn(2, 3, 4), drawn(4, 5)).grad_fn) else "MmBackward0"
    agrees(node, function, *(drawn(*shape, seed=place) for place, shape in enumerate(shapes)))


def test_every_function_is_tried():
    assert {entry.node for entry in PRODUCTS} == set(CASES)


@pytest.mark.parametrize(
    "wrong",
    [
        (lambda s: s.g @ s.mat2.mT, lambda s: (s.g.mT @ s.self).mT * 2),  # scaled
        (lambda s: (s.mat2 @ s.g.mT).mT.flip(0), lambda s: s.self.mT @ s.g),  # rows in the wrong order
    ],
)
def test_a_wrong_formula_is_found(wrong, agrees, drawn, monkeypatch):
    inputs = tuple(Input(name, "", "", compute) for name, compute in zip("AB", wrong, strict=True))
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", (Derivative("MmBackward0", "", inputs),))
    with pytest.raises(AssertionError):
        agrees("MmBackward0", torch.mm, drawn(3, 3), drawn(3, 3, seed=1))
