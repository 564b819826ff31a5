"""What a network holds and does inside: filters, feature maps, attention."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.nn import MultiHeadedAttention, SelfAttention


def convolutions(model: nn.Module) -> dict[str, nn.Module]:
    """The plane convolutions of a network by their path, in the order in which they were made."""
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Conv2d)}


def filters(model: nn.Module) -> dict[str, Tensor]:
    """The weights [filters, channels, height, width] of every plane convolution, cut off from the network."""
    return {name: module.weight.detach().clone() for name, module in convolutions(model).items()}  # type: ignore[operator]


def feature_maps(model: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """What every plane convolution makes of an image, [channels, height, width], before what follows it.

    Args:
        model: used as in evaluation.
        image: [channels, height, width], prepared as for training.
    """
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: found.__setitem__(name, output[0].detach().clone())

    _run(model, image, {module: keep(name) for name, module in convolutions(model).items()})
    return found


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
