"""Linear layers in single precision by oneDNN, where torch's own library leaves half of a processor unused."""

from typing import Any

import torch
from torch import Tensor, nn
from torch._C import _len_torch_function_stack
from torch._C._functorch import is_functorch_wrapped_tensor

LEAST_PRODUCTS = 2_000_000
"""Samples times weights from which a layer gains more than the call from Python costs."""


class DenseLinear(nn.Linear):
    """A linear layer whose products are made by oneDNN, which torch takes for convolutions and for bfloat16.

    Small layers, double precision, autocast, accelerators, compiled and stacked steps are left to torch's own.
    """

    def forward(self, input: Tensor) -> Tensor:
        """What torch's layer gives, up to rounding."""
        if not _fits(self, input):
            return super().forward(input)
        return _Dense.apply(input, self.weight, self.bias)  # pyright: ignore[reportReturnType]


def _fits(layer: nn.Linear, x: Tensor) -> bool:
    return (
        x.dtype == torch.float32
        and layer.weight.dtype == torch.float32
        and x.device.type == "cpu"
        and x.numel() * layer.out_features >= LEAST_PRODUCTS
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and not is_functorch_wrapped_tensor(x)
        and not _len_torch_function_stack()
    )


class _Dense(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        rows, slope = x.flatten(0, -2), slopes[0].flatten(0, -2)
        of_x, of_weight, of_bias = ctx.needs_input_grad
        if torch.is_grad_enabled():  # slopes of these slopes are asked for: by steps that have some
            return (
                slopes[0] @ weight if of_x else None,
                slope.t() @ rows if of_weight else None,
                slope.sum(0) if of_bias else None,
            )
        return (
            _product(slope, weight.t()).view_as(x) if of_x else None,
            _product(slope.t(), rows.t()) if of_weight else None,
            slope.sum(0) if of_bias else None,
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Numbers of [..., in] times weights of [out, in], turned."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
