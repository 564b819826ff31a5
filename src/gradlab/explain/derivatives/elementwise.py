"""Functions of each number by itself: y = f(x), so that g is multiplied by f′(x) number by number."""

import math

import torch
from torch import Tensor

from gradlab.explain.derivatives.derivative import Saved, unary

ROOT_2_PI = math.sqrt(2 * math.pi)


def _power(s: Saved) -> Tensor:
    return torch.zeros_like(s.self) if s.exponent == 0 else s.exponent * s.self ** (s.exponent - 1)


def _elu(s: Saved) -> Tensor:
    below = s.alpha * s.input_scale * (s.input_scale * s.self).exp()
    return s.scale * torch.where(s.self > 0, torch.ones_like(s.self), below)


def _normal_share(x: Tensor) -> Tensor:
    return (1 + torch.erf(x / math.sqrt(2))) / 2


def _gelu(s: Saved) -> Tensor:
    return _normal_share(s.self) + s.self * (-(s.self**2) / 2).exp() / ROOT_2_PI


def _gelu_tanh(s: Saved) -> Tensor:
    x, root = s.self, math.sqrt(2 / math.pi)
    t = torch.tanh(root * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t**2) * root * (1 + 3 * 0.044715 * x**2)


def _silu(s: Saved) -> Tensor:
    share = torch.sigmoid(s.self)
    return share * (1 + s.self * (1 - share))


def _softplus(s: Saved) -> Tensor:
    scaled = s.beta * s.self
    return torch.where(scaled > s.threshold, torch.ones_like(scaled), torch.sigmoid(scaled))


def _within(s: Saved) -> Tensor:
    inside = torch.ones_like(s.self, dtype=torch.bool)
    if s.min is not None:
        inside &= s.self >= s.min
    if s.max is not None:
        inside &= s.self <= s.max
    return inside


def _nothing(s: Saved) -> Tensor:
    return torch.zeros_like(s.g)


ELEMENTWISE = (
    unary("Neg", "−x", "−1", lambda s: -1),
    unary("Abs", "|x|", "sign(x)", lambda s: s.self.sign()),
    unary("Exp", "exp(x)", "y", lambda s: s.result),
    unary("Exp2", "2^x", "y · ln 2", lambda s: s.result * math.log(2)),
    unary("Expm1", "exp(x) − 1", "y + 1", lambda s: s.result + 1),
    unary("Log", "ln(x)", "1/x", lambda s: 1 / s.self),
    unary("Log2", "log₂(x)", "1/(x · ln 2)", lambda s: 1 / (s.self * math.log(2))),
    unary("Log10", "log₁₀(x)", "1/(x · ln 10)", lambda s: 1 / (s.self * math.log(10))),
    unary("Log1P", "ln(1 + x)", "1/(1 + x)", lambda s: 1 / (1 + s.self)),
    unary("Sqrt", "√x", "1/(2y)", lambda s: 1 / (2 * s.result)),
    unary("Rsqrt", "1/√x", "−y³/2", lambda s: -(s.result**3) / 2),
    unary("Reciprocal", "1/x", "−y²", lambda s: -(s.result**2)),
    unary("Pow", "x^k", "k · x^(k−1)", _power),
    unary("PowBackward2", "k^x", "y · ln k", lambda s: s.result * math.log(s.self)),
    unary("Sin", "sin(x)", "cos(x)", lambda s: s.self.cos()),
    unary("Cos", "cos(x)", "−sin(x)", lambda s: -s.self.sin()),
    unary("Tan", "tan(x)", "1 + y²", lambda s: 1 + s.result**2),
    unary("Asin", "arcsin(x)", "1/√(1 − x²)", lambda s: 1 / (1 - s.self**2).sqrt()),
    unary("Acos", "arccos(x)", "−1/√(1 − x²)", lambda s: -1 / (1 - s.self**2).sqrt()),
    unary("Atan", "arctan(x)", "1/(1 + x²)", lambda s: 1 / (1 + s.self**2)),
    unary("Sinh", "sinh(x)", "cosh(x)", lambda s: s.self.cosh()),
    unary("Cosh", "cosh(x)", "sinh(x)", lambda s: s.self.sinh()),
    unary("Tanh", "tanh(x)", "1 − y²", lambda s: 1 - s.result**2),
    unary("Asinh", "arsinh(x)", "1/√(x² + 1)", lambda s: 1 / (s.self**2 + 1).sqrt()),
    unary("Acosh", "arcosh(x)", "1/√(x² − 1)", lambda s: 1 / (s.self**2 - 1).sqrt()),
    unary("Atanh", "artanh(x)", "1/(1 − x²)", lambda s: 1 / (1 - s.self**2)),
    unary("Erf", "erf(x)", "2/√π · exp(−x²)", lambda s: 2 / math.sqrt(math.pi) * (-(s.self**2)).exp()),
    unary("Sigmoid", "σ(x)", "y · (1 − y)", lambda s: s.result * (1 - s.result)),
    unary("LogSigmoid", "ln σ(x)", "σ(−x)", lambda s: torch.sigmoid(-s.self)),
    unary("Relu", "max(0, x)", "[x > 0]", lambda s: s.result > 0),
    unary("LeakyRelu", "x where x > 0, else k · x", "[x > 0] + k · [x ≤ 0]",
          lambda s: torch.where(s.self > 0, 1, torch.full_like(s.self, s.negative_slope))),
    unary("Elu", "s · x where x > 0, else s · α · (exp(k · x) − 1)",
          "s · [x > 0] + s · α · k · exp(k · x) · [x ≤ 0]", _elu),
    unary("Celu", "x where x > 0, else α · (exp(x/α) − 1)", "[x > 0] + exp(x/α) · [x ≤ 0]",
          lambda s: (s.self > 0) + (s.self / s.alpha).exp() * (s.self <= 0)),
    unary("Gelu", "x · Φ(x)", "Φ(x) + x · φ(x)", _gelu, applies=lambda s: s.approximate == "none"),
    unary("Gelu", "x · (1 + t)/2, t = tanh(√(2/π) · (x + 0.044715 x³))",
          "(1 + t)/2 + x/2 · (1 − t²) · √(2/π) · (1 + 0.134145 x²)", _gelu_tanh,
          applies=lambda s: s.approximate == "tanh"),
    unary("Silu", "x · σ(x)", "σ(x) · (1 + x · (1 − σ(x)))", _silu),
    unary("Softplus", "ln(1 + exp(β · x))/β", "σ(β · x), and 1 where β · x > threshold", _softplus),
    unary("Hardtanh", "x, kept between low and high", "[low < x < high]",
          lambda s: (s.self > s.min_val) & (s.self < s.max_val)),
    unary("ClampBackward1", "x, kept between min and max", "[min ≤ x ≤ max]", _within),
    unary("ClampMin", "x, at least min", "[x ≥ min]", lambda s: s.self >= s.min),
    unary("ClampMax", "x, at most max", "[x ≤ max]", lambda s: s.self <= s.max),
    unary("MaskedFill", "x, and c where the mask is true", "[mask is false]", lambda s: ~s.mask),
    unary("Remainder", "x modulo c", "1", lambda s: 1),
    unary("Fmod", "x modulo c", "1", lambda s: 1),
    unary("Sign", "sign(x)", "0", _nothing),
    unary("Round", "x rounded", "0", _nothing),
    unary("Floor", "x rounded down", "0", _nothing),
    unary("Ceil", "x rounded up", "0", _nothing),
    unary("Clone", "a copy of x", "1", lambda s: 1),
    unary("Alias", "x under another name", "1", lambda s: 1),
    unary("ToCopy", "x in another type or place", "1", lambda s: 1),
    unary("MulBackward1", "k · x", "k", lambda s: s.other),
    unary("DivBackward1", "x/k", "1/k", lambda s: 1 / s.other),
    unary("AddBackward1", "x + k", "1", lambda s: 1),
    unary("SubBackward1", "x − k", "1", lambda s: 1),
    unary("RsubBackward1", "c − k · x", "−k", lambda s: -s.alpha),
)  # fmt: skip
"""Derivatives of one input, number by number."""
