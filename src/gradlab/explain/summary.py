"""A network layer by layer: filters, parameters, output sizes, operations and memory, measured on one forward pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.equivariance import GroupConvolution, LiftingConvolution
from gradlab.explain.operations import operations
from gradlab.explain.passing import empty_image, pass_once
from gradlab.nn import MultiHeadedAttention

WHOLE = (nn.MultiheadAttention, MultiHeadedAttention, LiftingConvolution, GroupConvolution)
"""Layers that stand for the layers inside them, whose own calls, where there are any, are not told."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a network.

    Args:
        name: its path in the network, such as "conv1".
        kind: its class.
        filters: filters of a convolution or units of a linear layer; 0 for a layer without weights of that kind.
        parameters: trainable numbers of its own.
        output: the size of its output for one image, such as "20 x 24 x 24".
        operations: multiplications and additions for one image, counted separately; None where unknown.
        output_numbers: how many numbers its output holds for one image; 0 for a module with layers inside, which are
            counted themselves.
    """

    name: str
    kind: str
    filters: int
    parameters: int
    output: str
    operations: int | None
    output_numbers: int


def layer_table(model: nn.Module, shape: Sequence[int]) -> list[Layer]:
    """The layers that a forward pass over one input of `shape` (without the batch axis) goes through, in that order.

    Functions called without a module, such as a pooling or an activation, do not appear; a layer used twice appears
    twice, and every parameter is counted the first time it is met. A module that holds both layers and parameters of
    its own, such as a class token, appears after those layers.

    Raises:
        UsageError: the network does not take inputs of this shape.
    """
    layers: list[Layer] = []
    counted: set[int] = set()

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], dict[str, Any], Any], None]:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Any], output: Any) -> None:
            given = (*inputs, *(named[key] for key in ("query", "key", "value", "input") if key in named))
            layers.append(_layer(name, module, given, _first_tensor(output), counted))

        return hook

    inside = {part for whole in model.modules() if isinstance(whole, WHOLE) for part in list(whole.modules())[1:]}
    hooks = [
        module.register_forward_hook(watch(name or type(model).__name__), with_kwargs=True)
        for name, module in model.named_modules()
        if module not in inside and (_own_layer(module) or next(module.parameters(recurse=False), None) is not None)
    ]
    try:
        pass_once(model, empty_image(model, shape))
    finally:
        for hook in hooks:
            hook.remove()
    return layers


def training_memory(layers: Sequence[Layer], *, batch_size: int, copies: int = 4, bytes_each: int = 4) -> int:
    """A lower estimate of the bytes that a training step needs.

    Weights, gradients and an Adam optimiser's two averages make four copies of the parameters; every layer's output is
    kept for the backward pass.
    """
    parameters = sum(layer.parameters for layer in layers)
    outputs = sum(layer.output_numbers for layer in layers)
    return bytes_each * (copies * parameters + batch_size * outputs)


def _layer(name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, counted: set[int]) -> Layer:
    own = module.parameters(recurse=isinstance(module, WHOLE))
    new = [parameter for parameter in own if parameter.requires_grad and id(parameter) not in counted]
    counted.update(map(id, new))
    return Layer(
        name=name,
        kind=type(module).__name__,
        filters=_filters(module),
        parameters=sum(parameter.numel() for parameter in new),
        output=" x ".join(map(str, for_one_image(output.shape))),
        operations=operations(module, inputs, output),
        output_numbers=output.numel() if _own_layer(module) else 0,
    )


def _own_layer(module: nn.Module) -> bool:
    return isinstance(module, WHOLE) or next(module.children(), None) is None


def _first_tensor(output: Any) -> Tensor:
    """The output itself, or the first of several, such as a recurrent layer's sequence before its last state."""
    return output if isinstance(output, Tensor) else next(item for item in output if isinstance(item, Tensor))


def _filters(module: nn.Module) -> int:
    if isinstance(module, nn.modules.conv._ConvNd):
        return module.out_channels
    if isinstance(module, LiftingConvolution | GroupConvolution):
        return module.kernel.out_channels
    return module.out_features if isinstance(module, nn.Linear) else 0


def for_one_image(shape: torch.Size) -> list[int]:
    """A shape without the batch axis: the first of size 1, since the batch holds one image and may not come first."""
    batch = shape.index(1) if 1 in shape else 0
    return [size for axis, size in enumerate(shape) if axis != batch]
