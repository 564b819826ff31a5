"""What a network holds and does inside: filters, feature maps, attention."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.explain.windows import ON_GROUPS
from gradlab.nn import MultiHeadedAttention, SelfAttention


def convolutions(model: nn.Module) -> dict[str, nn.Module]:
    """The convolutions over the plane, also those on a group, by their path, in the order in which they were made."""
    kinds = (nn.Conv2d, *ON_GROUPS)
    return {name: module for name, module in model.named_modules() if isinstance(module, kinds)}


def copies(model: nn.Module) -> dict[str, int]:
    """How many responses each channel of every convolution has: one for each element of its group, 1 without one."""
    return {name: _order(module) for name, module in convolutions(model).items()}


def filters(model: nn.Module) -> dict[str, Tensor]:
    """The weights [filters, channels, height, width] of every convolution, cut off from the network.

    On a group every moved copy of a kernel is a filter; the copies of one follow each other.
    """
    with torch.no_grad():
        return {name: _weights(module).clone() for name, module in convolutions(model).items()}


def feature_maps(model: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """What every convolution makes of an image, [channels, height, width], before what follows it.

    On a group a channel's response for each element is a channel of its own; those of one follow each other.

    Args:
        model: used as in evaluation.
        image: [channels, height, width], prepared as for training.
    """
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: found.__setitem__(name, flat(output[0].detach().clone()))

    _run(model, image, {module: keep(name) for name, module in convolutions(model).items()})
    return found


def flat(features: Tensor) -> Tensor:
    """Features [channels, height, width], also where each channel has a response for every element of a group."""
    return features.flatten(0, -3)


def attention_maps(model: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """How much each token looks at each, [heads, tokens, tokens] with rows of sum 1, of every attention layer.

    Args:
        model: used as in evaluation.
        image: [channels, height, width], prepared as for training.
    """
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: Any, inputs: Any, _output: Any) -> None:
            weights = module.weights(inputs[0]) if isinstance(module, SelfAttention) else module.attn
            found[name] = weights[0].detach().clone()

        return hook

    kinds = (SelfAttention, MultiHeadedAttention)
    layers: dict[nn.Module, Any] = {
        module: keep(name) for name, module in model.named_modules() if isinstance(module, kinds)
    }
    _run(model, image, layers)
    return found


def _order(module: Any) -> int:
    return int(module.kernel.table.order) if isinstance(module, ON_GROUPS) else 1


def _weights(module: Any) -> Tensor:
    if not isinstance(module, ON_GROUPS):
        return module.weight
    kernel = module.kernel()
    return kernel.reshape(kernel.shape[0] * kernel.shape[1], -1, *kernel.shape[-2:])


def _run(model: nn.Module, image: Tensor, hooks: dict[nn.Module, Any]) -> None:
    handles = [module.register_forward_hook(hook) for module, hook in hooks.items()]
    try:
        with torch.no_grad(), evaluated(model):
            model(image.unsqueeze(0))
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """The network as in evaluation, and afterwards as it was."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, was_training in modes.items():
            module.training = was_training
