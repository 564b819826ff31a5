"""Formulas of functions of one tensor, number by number, against torch and finite differences."""

import pytest
import torch
from torch.nn import functional

from gradlab.explain.derivatives import derivative_of
from gradlab.explain.derivatives.derivative import unary
from gradlab.explain.derivatives.elementwise import ELEMENTWISE
from gradlab.explain.derivatives.stated import stated_gradients

SIGNED = {"low": -0.9, "high": 0.95}
CASES = {
    "NegBackward0": lambda x: -x,
    "AbsBackward0": torch.abs,
    "ExpBackward0": torch.exp,
    "Exp2Backward0": torch.exp2,
    "Expm1Backward0": torch.expm1,
    "LogBackward0": torch.log,
    "Log2Backward0": torch.log2,
    "Log10Backward0": torch.log10,
    "Log1PBackward0": torch.log1p,
    "SqrtBackward0": torch.sqrt,
    "RsqrtBackward0": torch.rsqrt,
    "ReciprocalBackward0": torch.reciprocal,
    "PowBackward0": lambda x: x**3,
    "PowBackward2": lambda x: 2**x,
    "SinBackward0": torch.sin,
    "CosBackward0": torch.cos,
    "TanBackward0": torch.tan,
    "AsinBackward0": torch.asin,
    "AcosBackward0": torch.acos,
    "AtanBackward0": torch.atan,
    "SinhBackward0": torch.sinh,
    "CoshBackward0": torch.cosh,
    "TanhBackward0": torch.tanh,
    "AsinhBackward0": torch.asinh,
    "AcoshBackward0": lambda x: torch.acosh(x + 1),
    "AtanhBackward0": torch.atanh,
    "ErfBackward0": torch.erf,
    "SigmoidBackward0": torch.sigmoid,
    "LogSigmoidBackward0": functional.logsigmoid,
    "ReluBackward0": torch.relu,
    "LeakyReluBackward0": lambda x: functional.leaky_relu(x, 0.2),
    "EluBackward0": lambda x: functional.elu(x, 0.7),
    "CeluBackward0": lambda x: functional.celu(x, 0.5),
    "GeluBackward0": functional.gelu,
    "SiluBackward0": functional.silu,
    "SoftplusBackward0": lambda x: functional.softplus(x, beta=2, threshold=1),
    "HardtanhBackward0": lambda x: functional.hardtanh(x, -0.3, 0.6),
    "ClampBackward1": lambda x: x.clamp(-0.1, 0.5),
    "ClampMinBackward0": lambda x: x.clamp_min(0.1),
    "ClampMaxBackward0": lambda x: x.clamp_max(0.1),
    "MaskedFillBackward0": lambda x: x.masked_fill(x > 0.4, 2.0),
    "RemainderBackward0": lambda x: x % 2,
    "FmodBackward0": lambda x: torch.fmod(x, 2),
    "SignBackward0": torch.sign,
    "RoundBackward0": torch.round,
    "FloorBackward0": torch.floor,
    "CeilBackward0": torch.ceil,
    "CloneBackward0": torch.clone,
    "AliasBackward0": torch.ops.aten.alias,
    "MulBackward1": lambda x: torch.ops.aten.mul.Scalar(x, 3),
    "DivBackward1": lambda x: torch.ops.aten.div.Scalar(x, 3),
    "AddBackward1": lambda x: torch.ops.aten.add.Scalar(x, 3),
    "SubBackward1": lambda x: torch.ops.aten.sub.Scalar(x, 3),
    "ToCopyBackward0": lambda x: x.to(torch.float32).to(torch.float64),
    "RsubBackward1": lambda x: torch.rsub(x, 3, alpha=2),
}
POSITIVE = {"Log2Backward0", "Log10Backward0", "LogBackward0", "SqrtBackward0", "RsqrtBackward0", "AcoshBackward0"}


@pytest.mark.parametrize("node", [node for node in CASES if node != "ToCopyBackward0"])
def test_formula_is_torch_s_and_torch_s_is_the_slope(node, agrees, drawn):
    limits = {} if node in POSITIVE else SIGNED
    agrees(node, CASES[node], drawn(3, 4, **limits))
    agrees(node, CASES[node], drawn(**limits))


@pytest.mark.parametrize(
    ("node", "function"),
    [
        ("GeluBackward0", lambda x: functional.gelu(x, approximate="tanh")),
        ("EluBackward0", functional.selu),
        ("PowBackward0", lambda x: x**0),
        ("PowBackward0", lambda x: x**-1.5),
        ("ClampBackward1", lambda x: x.clamp(min=0.3)),
        ("ClampBackward1", lambda x: x.clamp(max=0.3)),
        ("SoftplusBackward0", functional.softplus),
    ],
)
def test_formula_holds_for_the_variants(node, function, agrees, drawn):
    agrees(node, function, drawn(5))


def test_a_change_of_type_sends_the_gradient_back_in_the_old_one(drawn):
    """Single precision is too coarse for finite differences, so the formula is held against torch alone."""
    step = drawn(3).to(torch.float32).grad_fn
    gradient = torch.tensor([1.0, 2.0, 3.0])
    (stated,) = stated_gradients(derivative_of(step), step, (gradient,))
    assert step.name() == "ToCopyBackward0"
    assert torch.equal(stated, step(gradient))
    assert stated.dtype == torch.float64


def test_every_function_is_tried():
    assert {entry.node for entry in ELEMENTWISE} == set(CASES)


@pytest.mark.parametrize(
    ("node", "slope"),
    [
        ("TanhBackward0", lambda s: 1 + s.result**2),  # the sign
        ("SigmoidBackward0", lambda s: s.result),  # one factor forgotten
        ("PowBackward0", lambda s: s.exponent * s.self**s.exponent),  # the exponent not lowered
        ("ReluBackward0", lambda s: s.result >= -1),  # no gate
        ("LogBackward0", lambda s: s.self),  # upside down
    ],
)
def test_a_wrong_formula_is_found(node, slope, agrees, drawn, monkeypatch):
    wrong = unary(node, "wrong", "wrong", slope)
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", (wrong,))
    with pytest.raises(AssertionError):
        agrees(node, CASES[node], drawn(4, **({} if node in POSITIVE else SIGNED)))


def test_the_text_and_the_function_stand_side_by_side():
    """What the text says, read as arithmetic by hand for three of them."""
    told = {entry.node: entry.at(0).local for entry in ELEMENTWISE}
    assert told["TanhBackward0"] == "∂y/∂x = 1 − y²"
    assert told["SigmoidBackward0"] == "∂y/∂x = y · (1 − y)"
    assert told["RsqrtBackward0"] == "∂y/∂x = −y³/2"
