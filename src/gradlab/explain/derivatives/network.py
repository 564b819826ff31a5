"""Layers of networks: convolution, pooling, normalisation, embedding, gates."""

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.explain.derivatives.derivative import Derivative, Input, Saved, signed


def _padding_lost(s: Saved) -> list[int]:
    """Rows and columns at the far end of the padded input that no window reaches."""
    entered, made = s.input.shape[2:], s.g.shape[2:]
    return [
        (size + 2 * padding - dilation * (kernel - 1) - 1) - stride * (out - 1)
        for size, padding, dilation, kernel, stride, out in zip(
            entered, s.padding, s.dilation, s.weight.shape[2:], s.stride, made, strict=True
        )
    ]


def _convolution_input(s: Saved) -> Tensor:
    turned = functional.conv_transpose2d if s.g.ndim == 4 else functional.conv_transpose1d
    return turned(s.g, s.weight, None, s.stride, s.padding, _padding_lost(s), s.groups, s.dilation)


def _convolution_weight(s: Saved) -> Tensor:
    """Each weight sums, over the places it was laid on, the input number there times the arriving gradient."""
    flat = s.g.ndim == 3
    x, g, size = s.input, s.g, tuple(s.weight.shape[2:])
    dilation, padding, stride = tuple(s.dilation), tuple(s.padding), tuple(s.stride)
    if flat:
        x, g, size = x.unsqueeze(2), g.unsqueeze(2), (1, *size)
        dilation, padding, stride = (1, *dilation), (0, *padding), (1, *stride)
    patches = functional.unfold(x, size, dilation, padding, stride)  # [batch, channels * weights, places]
    patches = patches.unflatten(1, (s.groups, -1))
    arriving = g.flatten(2).unflatten(1, (s.groups, -1))
    return torch.einsum("bgop,bgwp->gow", arriving, patches).reshape(s.shape)


def _is_plain_convolution(s: Saved) -> bool:
    return not s.transposed and s.input.ndim in (3, 4)


def _max_pool(s: Saved) -> Tensor:
    back = torch.zeros_like(s.self).flatten(2)
    return back.scatter_add(2, s.result1.flatten(2), s.g.flatten(2)).reshape(s.self.shape)


def _average_pool(s: Saved) -> Tensor:
    """Every window lays its share of g on each of its places."""
    stride = s.stride or s.kernel_size
    window = s.kernel_size[0] * s.kernel_size[1]
    shares = (s.g / window).flatten(2)
    columns = shares.reshape(-1, 1, shares.shape[-1]).expand(-1, window, -1)
    size = s.self.shape[-2:]
    return functional.fold(columns, size, s.kernel_size, 1, s.padding, stride).reshape(s.self.shape)


def _adaptive_average_pool(s: Saved) -> Tensor:
    back = torch.zeros_like(s.self)
    rows, columns = s.g.shape[-2:]
    height, width = s.self.shape[-2:]
    for i in range(rows):
        for j in range(columns):
            top, bottom = i * height // rows, -(-(i + 1) * height // rows)
            left, right = j * width // columns, -(-(j + 1) * width // columns)
            share = s.g[..., i, j, None, None] / ((bottom - top) * (right - left))
            back[..., top:bottom, left:right] += share
    return back


def _channelwise(s: Saved, numbers: Tensor) -> Tensor:
    return numbers.reshape(1, -1, *[1] * (s.input.ndim - 2))


def _weighted(s: Saved) -> Tensor:
    return s.g if s.weight is None else s.g * _channelwise(s, s.weight)


def _standardised(s: Saved) -> Tensor:
    mean, inverse = (s.result1, s.result2) if s.training else (s.running_mean, (s.running_var + s.eps).rsqrt())
    return (s.input - _channelwise(s, mean)) * _channelwise(s, inverse)


def _batch_norm_input(s: Saved) -> Tensor:
    if not s.training:
        return _weighted(s) * _channelwise(s, (s.running_var + s.eps).rsqrt())
    axes = [axis for axis in range(s.input.ndim) if axis != 1]
    x, g = _standardised(s), _weighted(s)
    less = g - g.mean(axes, keepdim=True) - x * (g * x).mean(axes, keepdim=True)
    return less * _channelwise(s, s.result2)


def _over_channels(s: Saved, numbers: Tensor) -> Tensor:
    return numbers.sum([axis for axis in range(s.input.ndim) if axis != 1])


def _layer_norm_input(s: Saved) -> Tensor:
    axes = list(range(-len(s.normalized_shape), 0))
    x = (s.input - s.result1) * s.result2
    g = s.g if s.weight is None else s.g * s.weight
    return (g - g.mean(axes, keepdim=True) - x * (g * x).mean(axes, keepdim=True)) * s.result2


def _embedding(s: Saved) -> Tensor:
    arriving = torch.where((s.indices == signed(s.padding_idx))[..., None], 0.0, s.g)
    table = torch.zeros(s.shape, dtype=s.g.dtype)
    return table.index_add(0, s.indices.flatten(), arriving.reshape(-1, s.shape[-1]))


def _gated(s: Saved) -> Tensor:
    a, b = s.self.chunk(2, s.axis)
    gate = torch.sigmoid(b)
    return torch.cat([s.g * gate, s.g * a * gate * (1 - gate)], s.axis)


_THROUGH_NORM = "(g′ − mean g′ − x̂ · mean(g′ · x̂))/σ, where g′ = g · w and x̂ = (x − mean)/σ"

NETWORK = (
    Derivative("ConvolutionBackward0", "the convolution of x with w, plus b", (
        Input("x", "∂y[o, p]/∂x[c, q] = w[o, c, the place of q in the window at p]",
              "g convolved with w turned round (a transposed convolution)", _convolution_input, "input"),
        Input("w", "∂y[o, p]/∂w[o, c, k] = x[c, place k of the window at p]",
              "for each weight the sum over all places of g · (the x it met there)", _convolution_weight, "weight"),
        Input("b", "∂y[o, p]/∂b[o] = 1", "g summed over images and places",
              lambda s: s.g.sum([axis for axis in range(s.g.ndim) if axis != 1])),
    ), applies=_is_plain_convolution),
    Derivative("MaxPool2DWithIndicesBackward0", "the largest number of each window (and its place)", (
        Input("x", "∂y/∂xᵢ = [i is the place of the window's largest]", "g at the place of the largest, 0 elsewhere",
              _max_pool, "self"),
    )),
    Derivative("AvgPool2DBackward0", "the mean of each window", (
        Input("x", "∂y/∂xᵢ = 1/n for each of the window's n places", "g/n at every place of the window",
              _average_pool, "self"),
    ), applies=lambda s: s.divisor_override is None and not s.ceil_mode and (s.count_include_pad or not any(s.padding))
       and s.self.ndim == 4),
    Derivative("AdaptiveAvgPool2DBackward0", "the mean of each of some equal windows", (
        Input("x", "∂y/∂xᵢ = 1/n for each of the window's n places", "g/n at every place of the window",
              _adaptive_average_pool, "self"),
    )),
    Derivative("NativeBatchNormBackward0", "(x − mean)/σ · w + b, mean and σ of each channel in the batch", (
        Input("x", "w/σ · ([i = j] − 1/n − x̂ᵢ x̂ⱼ/n) within a channel", _THROUGH_NORM, _batch_norm_input, "input"),
        Input("w", "∂y/∂w = x̂ = (x − mean)/σ", "Σ g · x̂ over each channel",
              lambda s: _over_channels(s, s.g * _standardised(s)), "weight"),
        Input("b", "∂y/∂b = 1", "Σ g over each channel", lambda s: _over_channels(s, s.g)),
    ), applies=lambda s: s.training),
    Derivative("NativeBatchNormBackward0", "(x − m)/σ · w + b, with the running mean m and deviation σ", (
        Input("x", "∂y/∂x = w/σ", "g · w/σ", _batch_norm_input, "input"),
        Input("w", "∂y/∂w = x̂ = (x − m)/σ", "Σ g · x̂ over each channel",
              lambda s: _over_channels(s, s.g * _standardised(s)), "weight"),
        Input("b", "∂y/∂b = 1", "Σ g over each channel", lambda s: _over_channels(s, s.g)),
    ), applies=lambda s: not s.training),
    Derivative("NativeLayerNormBackward0", "(x − mean)/σ · w + b, mean and σ of each sample's last axes", (
        Input("x", "w/σ · ([i = j] − 1/n − x̂ᵢ x̂ⱼ/n) within a sample", _THROUGH_NORM, _layer_norm_input, "input"),
        Input("w", "∂y/∂w = x̂ = (x − mean)/σ", "Σ g · x̂ over samples",
              lambda s: (s.g * (s.input - s.result1) * s.result2).sum_to_size(s.shape), "weight"),
        Input("b", "∂y/∂b = 1", "Σ g over samples", lambda s: s.g.sum_to_size(s.shape), "bias"),
    )),
    Derivative("EmbeddingBackward0", "the rows of a table at given places", (
        Input("W", "∂yᵢ/∂Wₖ = [k is the row that was taken]", "g added to the rows that were taken, 0 elsewhere",
              _embedding),
    ), applies=lambda s: not s.scale_grad_by_freq and not s.sparse),
    Derivative("GluBackward0", "a · σ(b), the halves of x along an axis", (
        Input("x", "∂y/∂a = σ(b), ∂y/∂b = a · σ(b) · (1 − σ(b))", "g · σ(b) for a, g · a · σ(b) · (1 − σ(b)) for b",
              _gated, "self"),
    )),
)  # fmt: skip
"""Derivatives of layers."""
