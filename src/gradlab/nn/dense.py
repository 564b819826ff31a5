"""Linear layers in single precision by oneDNN, where torch's own library leaves half of a processor unused."""

from typing import Any

import torch
from torch import Tensor, nn
from torch._C import _are_functorch_transforms_active, _len_torch_function_stack
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd import forward_ad

LEAST_PRODUCTS = 8_000_000
"""Samples times weights from which a layer gains more than the call from Python costs (LOG.md)."""
LEAST_SIDE = 32
"""Of the weights: a narrower matrix gains nothing."""


class DenseProducts:
    """A context in which torch's large linear layers multiply by oneDNN, as its convolutions and bfloat16 do.

    Results are torch's up to rounding. Left to torch's own products are small and narrow layers, layers of somebody
    else's class, double precision, autocast, accelerators, compiled steps, transforms such as `vmap`, layers that
    somebody listens to, and slopes of slopes.
    """

    def __init__(self) -> None:
        self._before: Any = None

    def __enter__(self) -> None:
        """Gives torch's layer another forward pass; somebody else's stays."""
        self._before = nn.Linear.forward
        if self._before is _by_torch:
            nn.Linear.forward = _forward

    def __exit__(self, *_failure: object) -> None:
        """Gives it back what it had."""
        nn.Linear.forward = self._before


_by_torch = nn.Linear.forward


def _forward(self: nn.Linear, input: Tensor) -> Tensor:
    if not _fits(self, input):
        return _by_torch(self, input)
    made = _Dense.apply(input.flatten(0, -2), self.weight, self.bias)
    # A view of what the operator made could not be changed in place; one of its own result can.
    return made.unflatten(0, input.shape[:-1]) if input.ndim > 2 else made  # pyright: ignore[reportAttributeAccessIssue, reportReturnType]


def _fits(layer: nn.Linear, x: Tensor) -> bool:
    return (
        not torch.compiler.is_compiling()
        and x.numel() * layer.out_features >= LEAST_PRODUCTS  # most layers end here
        and type(layer) is nn.Linear
        and x.dtype == layer.weight.dtype == torch.float32
        and x.device.type == "cpu"
        and x.layout == torch.strided
        and not x.is_nested
        and x.ndim >= 2
        and x.shape[-1] == layer.in_features  # else torch tells what does not fit
        and min(layer.in_features, layer.out_features) >= LEAST_SIDE
        and not torch.is_autocast_enabled("cpu")
        and not _are_functorch_transforms_active()
        and not _len_torch_function_stack()
        and forward_ad._current_level < 0
    )


class _Dense(torch.autograd.Function):
    """Samples [N, in] by weights [out, in], with what torch's own step would keep and no more."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        of_x, of_weight, _of_bias = ctx.needs_input_grad
        ctx.save_for_backward(x if of_weight else None, weight if of_x else None)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (slope,), (x, weight) = slopes, ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        # Torch's steps have slopes themselves, and are made for many at once.
        by_torch = torch.is_grad_enabled() or is_functorch_wrapped_tensor(slope)
        times = torch.nn.functional.linear if by_torch else _product
        return (
            times(slope, weight.t()) if of_x else None,
            times(slope.t(), x.t()) if of_weight else None,
            slope.sum(0) if of_bias else None,
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Numbers of [N, in] times weights of [out, in], turned."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
