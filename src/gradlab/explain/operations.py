"""How many multiplications and additions a layer costs."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from gradlab.equivariance import CosetPooling, GroupConvolution, GroupPooling, LiftingConvolution, SpatialPooling
from gradlab.nn import DotProductAttention, MultiHeadedAttention

FREE = (
    nn.Identity, nn.Flatten, nn.Unflatten, nn.modules.dropout._DropoutNd, nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid,
    nn.Embedding, nn.Softmax, nn.LogSoftmax, nn.ZeroPad2d,
)  # fmt: skip
"""Layers that copy, compare or drop; and activations, which by custom count as nothing beside the linear maps."""


def operations(module: nn.Module, inputs: Sequence[Tensor], output: Tensor) -> int | None:
    """Multiplications and additions, counted separately, from a layer's inputs to its output; None where unknown.

    Biases, softmax and activations count as nothing. Batch norm is counted as in evaluation, one multiplication and
    one addition; a mean over places, which may overlap, as one operation for every number that enters.

    Args:
        module: the layer.
        inputs: its positional arguments.
        output: its output, or the first of several.
    """
    for kinds, count in COUNTS:
        if isinstance(module, kinds):
            return count(module, inputs, output)
    return 0 if isinstance(module, FREE) else None


def _linear(module: nn.modules.conv._ConvNd | nn.Linear, _inputs: Sequence[Tensor], output: Tensor) -> int | None:
    """Each output number costs one multiplication and one addition for every weight that it meets."""
    if isinstance(module, nn.modules.conv._ConvNd) and module.transposed:
        return None
    return 2 * output.numel() * module.weight[0].numel()


def _over_group(module: LiftingConvolution | GroupConvolution, _inputs: Sequence[Tensor], output: Tensor) -> int:
    """As a plain convolution over channels with the group folded in; moving the kernel costs nothing beside it."""
    kernel = module.kernel
    read = kernel.in_channels * (kernel.table.order if module.on_group else 1)
    return 2 * output.numel() * read * kernel.kernel_size**2


def _products(queries: Tensor, *, sources: int, mixed: Tensor) -> int:
    """Every query's numbers meet every key's, and every mixed number sums over the values of all sources."""
    return 2 * sources * (queries.numel() + mixed.numel())


def _attention(_module: DotProductAttention, inputs: Sequence[Tensor], output: Tensor) -> int:
    return _products(inputs[0], sources=inputs[1].shape[-2], mixed=output)


def _multihead(module: nn.MultiheadAttention, inputs: Sequence[Tensor], output: Tensor) -> int | None:
    """Projections of queries, keys and values, the two products, projection of the output; None for keywords."""
    if len(inputs) < 3:
        return None
    query, key, value = inputs[:3]
    sources = key.shape[1] if module.batch_first and key.ndim == 3 else key.shape[0]
    projections = 2 * module.embed_dim * (query.numel() + key.numel() + value.numel() + output.numel())
    return projections + _products(query, sources=sources, mixed=output)


def _headed(module: MultiHeadedAttention, inputs: Sequence[Tensor], output: Tensor) -> int | None:
    """Four square projections, of queries, keys, values and the mix, and the two products."""
    if len(inputs) < 3:
        return None
    query, key, value = inputs[:3]
    projections = 2 * query.shape[-1] * (query.numel() + key.numel() + value.numel() + output.numel())
    return projections + _products(query, sources=key.shape[-2], mixed=output)


def _recurrent(module: nn.modules.rnn.RNNBase, inputs: Sequence[Tensor], _output: Tensor) -> int | None:
    """At every step each weight, of all gates, layers and directions, is multiplied once and added once."""
    if not isinstance(inputs[0], Tensor):  # a packed sequence, whose steps differ from sample to sample
        return None
    steps = inputs[0].numel() // module.input_size
    return 2 * steps * sum(weight.numel() for weight in module.parameters() if weight.ndim == 2)


def _cell(module: nn.RNNCellBase, inputs: Sequence[Tensor], _output: Tensor) -> int:
    return 2 * (inputs[0].numel() // module.input_size) * (module.weight_ih.numel() + module.weight_hh.numel())


def _batch_norm(_module: nn.Module, _inputs: Sequence[Tensor], output: Tensor) -> int:
    return 2 * output.numel()


def _own_norm(module: nn.Module, _inputs: Sequence[Tensor], output: Tensor) -> int:
    """Sum, difference, square, sum and scale for each number; then weight and bias, where there are any."""
    affine = next(module.parameters(), None) is not None
    return (7 if affine else 5) * output.numel()


def _mean_pool(module: nn.Module, _inputs: Sequence[Tensor], output: Tensor) -> int:
    size: Any = module.kernel_size
    window = size ** (output.ndim - 2) if isinstance(size, int) else math.prod(size)
    return window * output.numel()


def _adaptive_mean_pool(_module: nn.Module, inputs: Sequence[Tensor], _output: Tensor) -> int:
    return inputs[0].numel()


def _group_pool(module: GroupPooling | CosetPooling | SpatialPooling, inputs: Sequence[Tensor], _output: Tensor) -> int:
    return inputs[0].numel() if module.kind == "mean" else 0


COUNTS: tuple[tuple[Any, Callable[[Any, Sequence[Tensor], Tensor], int | None]], ...] = (
    ((nn.Linear, nn.modules.conv._ConvNd), _linear),
    ((LiftingConvolution, GroupConvolution), _over_group),
    (DotProductAttention, _attention),
    (nn.MultiheadAttention, _multihead),
    (MultiHeadedAttention, _headed),
    (nn.modules.rnn.RNNBase, _recurrent),
    (nn.RNNCellBase, _cell),
    (nn.modules.batchnorm._BatchNorm, _batch_norm),
    ((nn.LayerNorm, nn.GroupNorm), _own_norm),
    (nn.modules.pooling._AvgPoolNd, _mean_pool),
    (nn.modules.pooling._AdaptiveAvgPoolNd, _adaptive_mean_pool),
    ((GroupPooling, CosetPooling, SpatialPooling), _group_pool),
)
"""How each kind of layer is counted."""
