"""Formulas of functions of several tensors against torch, and gradients that are summed back over copies."""

import pytest
import torch

from gradlab.explain.derivatives.derivative import Derivative, Input
from gradlab.explain.derivatives.several_inputs import SEVERAL_INPUTS
from gradlab.explain.derivatives.stated import stated_gradients
from gradlab.explain.graph import backward, walk

CASES = {
    "AddBackward0": lambda a, b: torch.add(a, b, alpha=3),
    "SubBackward0": lambda a, b: torch.sub(a, b, alpha=3),
    "MulBackward0": torch.mul,
    "DivBackward0": torch.div,
    "PowBackward1": torch.pow,
    "MaximumBackward0": torch.maximum,
    "MinimumBackward0": torch.minimum,
    "Atan2Backward0": torch.atan2,
    "HypotBackward0": torch.hypot,
    "XlogyBackward0": torch.xlogy,
    "WhereBackward0": lambda a, b: torch.where(a > 0.5, a, b),
    "LerpBackward0": lambda a, b: torch.lerp(a, b, 0.3),
    "AddcmulBackward0": lambda a, b: torch.addcmul(a, b, b + 1, value=2),
    "AddcdivBackward0": lambda a, b: torch.addcdiv(a, b, b + 1, value=2),
    "PreluKernelBackward0": lambda a, b: torch.prelu(a - 0.5, b.flatten()[:1]),
}


@pytest.mark.parametrize("node", CASES)
@pytest.mark.parametrize(("first", "second"), [((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 4))])
def test_formula_is_torch_s(node, first, second, agrees, drawn):
    agrees(node, CASES[node], drawn(*first), drawn(*second, seed=1))


@pytest.mark.parametrize("node", ["MulBackward0", "AddBackward0", "DivBackward0", "PowBackward1", "SubBackward0"])
def test_numbers_beside_tensors(node, agrees, drawn):
    function = CASES[node]
    agrees(node, lambda x: function(x, 2.0 if node != "PowBackward1" else torch.tensor(2.0).double()), drawn(3))


def test_powers_of_zero(drawn):
    """0^b has the slope 0 in b, and a^0 has the slope 0 in a."""
    base = torch.tensor([0.0, 0.5], dtype=torch.float64, requires_grad=True)
    exponent = torch.tensor([2.0, 0.0], dtype=torch.float64, requires_grad=True)
    output = base**exponent
    graph = walk(output)
    (sent,) = [sent for sent in backward(output, graph, torch.ones(2).double()) if sent is not None]
    entry = next(entry for entry in SEVERAL_INPUTS if entry.node == "PowBackward1")
    stated = stated_gradients(entry, graph.nodes[0], sent.arriving)
    assert [gradient.tolist() for gradient in stated] == [gradient.tolist() for gradient in sent.leaving]


def test_every_function_is_tried():
    assert {entry.node for entry in SEVERAL_INPUTS} == set(CASES)


@pytest.mark.parametrize(
    "wrong",
    [
        (lambda s: s.g * s.self, lambda s: s.g * s.other),  # the factors swapped
        (lambda s: s.g * s.other, lambda s: s.g),  # a factor forgotten
        (lambda s: -s.g * s.other, lambda s: s.g * s.self),  # the sign
    ],
)
def test_a_wrong_formula_is_found(wrong, agrees, drawn, monkeypatch):
    inputs = tuple(Input(name, "", "", compute) for name, compute in zip("ab", wrong, strict=True))
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", (Derivative("MulBackward0", "", inputs),))
    with pytest.raises(AssertionError):
        agrees("MulBackward0", torch.mul, drawn(3), drawn(3, seed=1))
