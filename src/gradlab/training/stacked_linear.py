"""Linear layers of a stack, whose slopes come out as their weights lie in memory."""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F


def multiply_from_the_left(model: nn.Module) -> None:
    """Lets every `nn.Linear` of a network under `vmap` compute (W X^T)^T instead of X W^T: the same but for rounding.

    The slope of a weight [replicas, outputs, inputs] is then a product of that shape. That of X W^T is its transpose,
    and turning it takes four times as long as the product itself (LOG.md, "stacks, linear layers").
    """
    for layer in model.modules():
        if type(layer) is nn.Linear:
            layer.forward = partial(_linear, layer)


def _linear(layer: nn.Linear, input: Tensor) -> Tensor:
    if input.ndim < 2:
        return F.linear(input, layer.weight, layer.bias)
    outputs = (layer.weight @ input.flatten(0, -2).mT).mT
    if layer.bias is not None:
        outputs = outputs + layer.bias.to(outputs.dtype)  # under autocast the product is of another type
    return outputs.unflatten(0, input.shape[:-1])
