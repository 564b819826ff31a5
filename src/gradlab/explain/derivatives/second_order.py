"""Steps that appear only in the graph of a gradient, made by `create_graph=True`."""

from collections.abc import Callable

from torch import Tensor

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved

Told = tuple[str, str, Callable[[Saved], Tensor]]
"""The local derivative, the product, and the function that computes it."""


def _softmax_arriving(s: Saved) -> Tensor:
    y = s.output
    return y * (s.g - (s.g * y).sum(s.axis, keepdim=True))


def _softmax_output(s: Saved) -> Tensor:
    """What flows to y in y (h - Σ h y), where it appears outside and inside the sum."""
    y, h = s.output, s.grad_output
    outside = s.g * (h - (h * y).sum(s.axis, keepdim=True))
    return outside - h * (s.g * y).sum(s.axis, keepdim=True)


def _log_softmax_arriving(s: Saved) -> Tensor:
    return s.g - (s.g * s.output.exp()).sum(s.axis, keepdim=True)


def _log_softmax_output(s: Saved) -> Tensor:
    return -s.g * s.output.exp() * s.grad_output.sum(s.axis, keepdim=True)


def _of_gradient(node: str, operation: str, first: Told, second: Told) -> Derivative:
    """A function of h, the gradient of the first backward pass, and r, the output or input it was computed from."""
    inputs = tuple(
        Input(name, f"∂y/∂{name} = {local}" if "Σ" not in local else local, vjp, compute, kept)
        for (name, kept), (local, vjp, compute) in zip(
            (("h", "grad_output"), ("r", "output")), (first, second), strict=True
        )
    )
    return Derivative(node, operation, inputs, elementwise="Softmax" not in node)


SECOND_ORDER = (
    _of_gradient("TanhBackwardBackward0", "h · (1 − r²), the gradient of r = tanh",
                 ("1 − r²", "g · (1 − r²)", lambda s: s.g * (1 - s.output**2)),
                 ("−2 h · r", "−2 g · h · r", lambda s: -2 * s.g * s.grad_output * s.output)),
    _of_gradient("SigmoidBackwardBackward0", "h · r · (1 − r), the gradient of r = σ",
                 ("r · (1 − r)", "g · r · (1 − r)", lambda s: s.g * s.output * (1 - s.output)),
                 ("h · (1 − 2r)", "g · h · (1 − 2r)", lambda s: s.g * s.grad_output * (1 - 2 * s.output))),
    _of_gradient("ThresholdBackwardBackward0", "h · [r > 0], the gradient of a ReLU",
                 ("[r > 0]", "g · [r > 0]", lambda s: s.g * (s.self > s.threshold)),
                 ("0", "0", lambda s: s.g * 0)),
    _of_gradient("SoftmaxBackwardDataBackward0", "r · (h − Σ h · r), the gradient of r = softmax",
                 ("the softmax's own Jacobian, with Σ along the axis", "r · (g − Σ g · r)", _softmax_arriving),
                 ("through r outside and inside the Σ", "g · (h − Σ h · r) − h · Σ g · r", _softmax_output)),
    _of_gradient("LogSoftmaxBackwardDataBackward0", "h − exp(r) · Σ h, the gradient of r = log-softmax",
                 ("[i = k] − exp(r), through the Σ", "g − Σ g · exp(r)", _log_softmax_arriving),
                 ("−exp(r) · Σ h", "−g · exp(r) · Σ h", _log_softmax_output)),
)  # fmt: skip
"""Derivatives of gradients."""
