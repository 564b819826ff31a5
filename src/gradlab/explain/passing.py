"""One forward pass over an empty image, to be watched."""

import contextlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gradlab.errors import UsageError


def empty_image(model: nn.Module, shape: Sequence[int]) -> Tensor:
    """Zeros [1, *shape] of the type and on the device of a network's weights."""
    parameter = next(model.parameters(), torch.empty(0))
    return torch.zeros(1, *shape, dtype=parameter.dtype, device=parameter.device)


def pass_once(
    model: nn.Module, image: Tensor, watching: contextlib.AbstractContextManager[object] | None = None
) -> None:
    """Sends an image through a network in evaluation mode; the mode of every module is put back.

    Args:
        model: the network.
        image: [1, ...].
        watching: entered around the pass.

    Raises:
        UsageError: the network does not take inputs of this shape.
    """
    modes = {module: module.training for module in model.modules()}
    try:
        with torch.no_grad(), watching or contextlib.nullcontext():
            model.eval()(image)
    except (RuntimeError, ValueError, IndexError) as error:
        size = "x".join(map(str, image.shape[1:]))
        raise UsageError(
            f"{type(model).__name__} does not take an input of {size}: {str(error).splitlines()[0]}"
        ) from error
    finally:
        for module, was_training in modes.items():
            module.training = was_training
