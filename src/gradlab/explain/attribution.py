"""Which pixels and places speak for a class: saliency and Grad-CAM."""

import torch
from torch import Tensor, nn

from gradlab.errors import UsageError
from gradlab.explain.inside import convolutions, evaluated, flat


def saliency(model: nn.Module, image: Tensor, label: int) -> Tensor:
    """How strongly the class's logit changes with each pixel, the largest slope of its channels: [height, width].

    Args:
        model: used as in evaluation; no `.grad` changes.
        image: [channels, height, width], prepared as for training.
        label: of the class.

    Source: Simonyan, Vedaldi and Zisserman 2014, "Deep inside convolutional networks", section 3.1.
    """
    with torch.enable_grad(), evaluated(model):
        pixels = image.detach().clone().unsqueeze(0).requires_grad_()
        (slope,) = torch.autograd.grad(_logit(model, pixels, label), pixels)
    return slope[0].abs().amax(0)


def grad_cam(model: nn.Module, image: Tensor, label: int, *, layer: str = "") -> Tensor:
    """Where a convolution's features speak for the class: [height, width] of its output, at least 0.

    Each channel is weighted by the mean slope of the class's logit over its places; what speaks against the class is
    left out.

    Args:
        model: used as in evaluation; no `.grad` changes.
        image: [channels, height, width], prepared as for training.
        label: of the class.
        layer: the path of a convolution; by default the last one whose output has more than one place.

    Source: Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2.
    Differs from the paper: slopes are those at the convolution's own output, before the ReLU that follows, so a place
    that the ReLU shuts has none; the features enter as the ReLU leaves them. On a group each channel's response for
    each element is a channel.

    Raises:
        UsageError: the network has no such convolution.
    """
    known = convolutions(model)
    if not known:
        raise UsageError("Grad-CAM needs a network with convolutions over the plane: this one has none")
    if layer and layer not in known:
        raise UsageError(f"the network has no convolution '{layer}': it has {', '.join(known)}")
    held: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if layer or not held or output.shape[-2:].numel() > 1:
            held.append(output)

    watched = [known[layer]] if layer else list(known.values())
    handles = [module.register_forward_hook(keep) for module in watched]
    try:
        with torch.enable_grad(), evaluated(model):
            # The image asks for a gradient so that the features have a graph, even where all weights are frozen.
            logit = _logit(model, image.detach().clone().unsqueeze(0).requires_grad_(), label)
            (slope,) = torch.autograd.grad(logit, held[-1])
    finally:
        for handle in handles:
            handle.remove()
    weights = flat(slope[0]).mean((1, 2), keepdim=True)
    return (weights * flat(held[-1][0].detach()).relu()).sum(0).relu()


def _logit(model: nn.Module, pixels: Tensor, label: int) -> Tensor:
    logits = model(pixels)
    if logits.ndim != 2 or not 0 <= label < logits.shape[1]:
        raise UsageError(f"class {label} is none of the network's {logits.shape[-1]}")
    return logits[0, label]
