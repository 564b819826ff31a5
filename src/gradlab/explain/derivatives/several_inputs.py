"""Functions of several tensors, number by number; where shapes were broadcast, the gradient is summed back."""

from collections.abc import Callable

import torch
from torch import Tensor

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved


def _pair(node: str, operation: str, first: Input, second: Input) -> Derivative:
    return Derivative(node, operation, (first, second), elementwise=True)


def _first(local: str, vjp: str, compute: Callable[[Saved], Tensor], kept: str = "self") -> Input:
    return Input("a", f"∂y/∂a = {local}", vjp, compute, kept)


def _second(local: str, vjp: str, compute: Callable[[Saved], Tensor], kept: str = "other") -> Input:
    return Input("b", f"∂y/∂b = {local}", vjp, compute, kept)


def _larger(s: Saved) -> Tensor:
    return (s.self > s.other) + (s.self == s.other) / 2


def _power_of_exponent(s: Saved) -> Tensor:
    """0^b is 0 for every positive b and its slope there 0, where ln a is infinite."""
    slope = s.result * s.self.log()
    return s.g * torch.where((s.self == 0) & (s.exponent >= 0), torch.zeros_like(slope), slope)


def _power_of_base(s: Saved) -> Tensor:
    slope = s.exponent * s.self ** (s.exponent - 1)
    return s.g * torch.where(s.exponent == 0, torch.zeros_like(slope), slope)


def _weight(s: Saved) -> Tensor | float:
    return s.weight


SEVERAL_INPUTS = (
    _pair("AddBackward0", "a + k · b (k is 1 unless given)",
          _first("1", "g", lambda s: s.g), _second("k", "k · g", lambda s: s.alpha * s.g)),
    _pair("SubBackward0", "a − k · b (k is 1 unless given)",
          _first("1", "g", lambda s: s.g), _second("−k", "−k · g", lambda s: -s.alpha * s.g)),
    _pair("MulBackward0", "a · b",
          _first("b", "g · b", lambda s: s.g * s.other), _second("a", "g · a", lambda s: s.g * s.self)),
    _pair("DivBackward0", "a/b", _first("1/b", "g/b", lambda s: s.g / s.other),
          _second("−a/b²", "−g · a/b²", lambda s: -s.g * s.self / s.other**2)),
    _pair("PowBackward1", "a^b", _first("b · a^(b−1)", "g · b · a^(b−1)", _power_of_base),
          _second("y · ln a", "g · y · ln a", _power_of_exponent, "exponent")),
    _pair("MaximumBackward0", "max(a, b)",
          _first("[a > b] + ½ [a = b]", "g · ([a > b] + ½ [a = b])", lambda s: s.g * _larger(s)),
          _second("[a < b] + ½ [a = b]", "g · ([a < b] + ½ [a = b])", lambda s: s.g * (1 - _larger(s)))),
    _pair("MinimumBackward0", "min(a, b)",
          _first("[a < b] + ½ [a = b]", "g · ([a < b] + ½ [a = b])", lambda s: s.g * (1 - _larger(s))),
          _second("[a > b] + ½ [a = b]", "g · ([a > b] + ½ [a = b])", lambda s: s.g * _larger(s))),
    _pair("Atan2Backward0", "the angle of (b, a)",
          _first("b/(a² + b²)", "g · b/(a² + b²)", lambda s: s.g * s.other / (s.self**2 + s.other**2)),
          _second("−a/(a² + b²)", "−g · a/(a² + b²)", lambda s: -s.g * s.self / (s.self**2 + s.other**2))),
    _pair("HypotBackward0", "√(a² + b²)", _first("a/y", "g · a/y", lambda s: s.g * s.self / s.result),
          _second("b/y", "g · b/y", lambda s: s.g * s.other / s.result)),
    _pair("XlogyBackward0", "a · ln b",
          _first("ln b", "g · ln b", lambda s: s.g * torch.where(s.self == 0, 0.0, s.other.log())),
          _second("a/b", "g · a/b", lambda s: s.g * s.self / s.other)),
    _pair("WhereBackward0", "a where the condition is true, else b",
          _first("[condition]", "g · [condition]", lambda s: s.g * s.condition, ""),
          _second("[not condition]", "g · [not condition]", lambda s: s.g * ~s.condition, "")),
    _pair("LerpBackward0", "a + w · (b − a)", _first("1 − w", "g · (1 − w)", lambda s: s.g * (1 - _weight(s)), ""),
          _second("w", "g · w", lambda s: s.g * _weight(s), "")),
    Derivative("AddcmulBackward0", "a + k · b · c", (
        _first("1", "g", lambda s: s.g, ""),
        _second("k · c", "g · k · c", lambda s: s.g * s.value * s.tensor2, "tensor1"),
        Input("c", "∂y/∂c = k · b", "g · k · b", lambda s: s.g * s.value * s.tensor1, "tensor2"),
    ), elementwise=True),
    Derivative("AddcdivBackward0", "a + k · b/c", (
        _first("1", "g", lambda s: s.g, ""),
        _second("k/c", "g · k/c", lambda s: s.g * s.value / s.tensor2, "tensor1"),
        Input("c", "∂y/∂c = −k · b/c²", "−g · k · b/c²",
              lambda s: -s.g * s.value * s.tensor1 / s.tensor2**2, "tensor2"),
    ), elementwise=True),
    _pair("PreluKernelBackward0", "a where a > 0, else b · a",
          _first("[a > 0] + b · [a ≤ 0]", "g · ([a > 0] + b · [a ≤ 0])",
                 lambda s: s.g * torch.where(s.self > 0, 1.0, s.weight)),
          _second("a · [a ≤ 0]", "g · a · [a ≤ 0]", lambda s: s.g * s.self * (s.self <= 0), "weight")),
)  # fmt: skip
"""Derivatives of two or three inputs, number by number."""
