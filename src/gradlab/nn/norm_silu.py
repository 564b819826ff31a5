"""Batch norm with a SiLU after it, in half as many passes over memory as one after the other."""

import ctypes
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import _len_torch_function_stack
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.function import once_differentiable

from gradlab.nn.native import Kernel

KERNEL = Kernel(Path(__file__).with_name("norm_silu.cpp"), "batch norm with SiLU", ("-ffp-contract=fast",))
BLOCK = 32
"""Channels come in multiples of this."""


class NormSiLUSequential(nn.Sequential):
    """Layers one after another; while training in bfloat16 on a processor each batch norm and its SiLU are one step.

    That step is at least as exact as the two, and saves an eighth of the training of practical 5's encoder (LOG.md,
    "batch norm and SiLU in one step"). It needs a C++ compiler, channels that lie last in memory and are a multiple of
    32, and weights in single precision; otherwise the two layers are called. `GRADLAB_NATIVE=0` switches it off.
    """

    def forward(self, input: Tensor) -> Tensor:
        """What the last layer gives."""
        x, layers, done = input, list(self), None
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            if layer is done:
                continue
            if isinstance(layer, nn.BatchNorm2d) and isinstance(following, nn.SiLU) and _fits(layer, x):
                x, done = _in_one_step(layer, x), following
            else:
                x = layer(x)
        return x


def native_norm() -> str:
    """What makes batch norm and SiLU one step, for the record of a run; see `gradlab.nn.native.Kernel`."""
    return KERNEL.told()


def _fits(norm: nn.BatchNorm2d, x: Tensor) -> bool:
    return (
        norm.training
        and x.dtype == torch.bfloat16
        and x.device.type == "cpu"
        and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not is_functorch_wrapped_tensor(x)  # of a stack
        and not _len_torch_function_stack()  # whoever listens to batch norm, as joint statistics do, must hear of it
        and x.shape[1] % BLOCK == 0
        and x.numel() > x.shape[1]
        and x.is_contiguous(memory_format=torch.channels_last)
        and norm.affine
        and norm.weight.dtype == torch.float32
        and norm.momentum is not None
        and norm.running_mean is not None
        and KERNEL.library() is not None
    )


def _in_one_step(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """SiLU of the normalised images, with the running statistics brought forward as batch norm does."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    made, mean, variance = _NormSiLU.apply(x, norm.weight, norm.bias, norm.eps)  # pyright: ignore[reportGeneralTypeIssues]
    samples = x.numel() // x.shape[1]
    with torch.no_grad():
        norm.num_batches_tracked += 1
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance * (samples / (samples - 1)), norm.momentum)
    return made


class _NormSiLU(torch.autograd.Function):
    """The kernel's passes; mean and variance of each channel come beside the result, without a slope."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        channels, samples = x.shape[1], x.numel() // x.shape[1]
        origin = x[0, :, 0, 0].float()  # near the mean, so that squares do not cancel
        total, squares = torch.zeros(2, channels, dtype=torch.float64)
        _call("moments", x, samples, origin, total, squares)
        away = total / samples
        variance = (squares / samples - away.square()).clamp(min=0).float()
        mean, inverse = origin + away.float(), (variance + eps).rsqrt()
        scale = weight * inverse
        shift = bias - mean * scale
        made = torch.empty_like(x)
        _call("activate", x, samples, scale, shift, made)
        ctx.save_for_backward(x, mean, inverse, scale, shift)
        ctx.mark_non_differentiable(mean, variance)
        return made, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, mean, inverse, scale, shift = ctx.saved_tensors
        samples = x.numel() // x.shape[1]
        slope = torch.empty_like(x)
        total, product = torch.zeros(2, x.shape[1], dtype=torch.float64)
        given = slopes[0].contiguous(memory_format=torch.channels_last)
        _call("slopes", x, samples, given, scale, shift, mean, slope, total, product)
        of_weight, of_bias = (product * inverse).float(), total.float()
        of_x = -scale * inverse * of_weight / samples
        _call("spread", x, samples, slope, scale, of_x, -scale * of_bias / samples - of_x * mean)
        return slope, of_weight, of_bias, None


def _call(name: str, x: Tensor, rows: int, *tensors: Tensor) -> None:
    """Calls a function of the kernel, whose arguments begin with x, its rows and its channels."""
    library = KERNEL.library()
    assert library is not None
    pointers = (ctypes.c_void_p(tensor.data_ptr()) for tensor in (x, *tensors))
    first, *others = pointers
    getattr(library, name)(first, ctypes.c_int64(rows), ctypes.c_int64(x.shape[1]), *others)
