"""Measure equivariance.

A layer that lifts images to [batch, channels, 4, height, width] is equivariant under right angles when turning the
image turns its maps and shifts the group axis. Write `equivariance_error(layer, images)` for square images: the largest
absolute difference, a float, between layer(turned images) and the expected maps, for one right angle
counter-clockwise: `torch.rot90` of the last two axes, and entry h of the group axis moved to entry h + 1 (mod 4).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: what rotation does to lifted feature maps"
HINTS = (
    "Two tensors: the layer on turned images, and the turned maps of the layer on the images.",
    "`torch.roll(maps, 1, dims=2)` moves entry h to h + 1.",
    "`(layer(turn(images)) - turn(layer(images)).roll(1, dims=2)).abs().max().item()`.",
)


def equivariance_error(layer: Callable[[Tensor], Tensor], images: Tensor) -> float:
    """Returns the largest absolute difference from equivariance.

    Args:
        layer: images [batch, channels, n, n] to maps [batch, channels, 4, m, m].
        images: square.
    """
    ### BEGIN SOLUTION
    turned = layer(torch.rot90(images, 1, (-2, -1)))
    expected = torch.rot90(layer(images), 1, (-2, -1)).roll(1, dims=2)
    return (turned - expected).abs().max().item()
    ### END SOLUTION


def _probe(error: Any, images: Tensor, weight: Tensor) -> dict[str, Any]:
    def lifted(x: Tensor) -> Tensor:
        kernels = torch.stack([torch.rot90(weight, h, (-2, -1)) for h in range(4)], 1)
        return functional.conv2d(x, kernels.flatten(0, 1)).unflatten(1, kernels.shape[:2])

    return {
        "of an equivariant layer": error(lifted, images),
        "of a layer that turns its kernels clockwise": error(lambda x: lifted(x).flip(2), images),
        "of a layer with four equal maps": error(lambda x: lifted(x)[:, :, :1].repeat(1, 1, 4, 1, 1), images),
        "of a negative layer": error(lambda x: -lifted(x).square(), images),
    }


def _case(draw: Draw) -> dict[str, Tensor]:
    channels, side = draw.size(1, 2), draw.size(4, 6)
    return {"images": draw.normal(draw.size(1, 3), channels, side, side), "weight": draw.normal(2, channels, 3, 3)}


def _error(layer: Any, images: Tensor, turn: int = 1, back: int = 1, shift: int = 1) -> Tensor:
    turned = layer(torch.rot90(images, turn, (-2, -1)))
    return turned - torch.rot90(layer(images), back, (-2, -1)).roll(shift, 2)


CHECK = Check(
    probe=_probe,
    case=_case,
    absolute=1e-4,
    faults=(
        Fault(
            "the group axis is not shifted",
            "A turn also moves entry h to h + 1.",
            lambda f, x: _error(f, x, shift=0).abs().max().item(),
        ),
        Fault(
            "the group axis is shifted backwards",
            "Entry h moves to h + 1: roll by 1.",
            lambda f, x: _error(f, x, shift=-1).abs().max().item(),
        ),
        Fault(
            "the maps are not turned",
            "Turn the expected maps as the images.",
            lambda f, x: _error(f, x, back=0).abs().max().item(),
        ),
        Fault(
            "the maps turn the other way",
            "Turn the expected maps as the images.",
            lambda f, x: _error(f, x, back=-1).abs().max().item(),
        ),
        Fault(
            "the images turn clockwise",
            "Counter-clockwise: rot90 by 1.",
            lambda f, x: _error(f, x, turn=-1).abs().max().item(),
        ),
        Fault(
            "the images are not turned",
            "The layer must see turned images on one side.",
            lambda f, x: _error(f, x, turn=0).abs().max().item(),
        ),
        Fault(
            "invariance is measured instead",
            "Equivariant maps turn with the image: compare with turned maps.",
            lambda f, x: _error(f, x, back=0, shift=0).abs().max().item(),
        ),
        Fault(
            "the mean instead of the largest difference",
            "The largest absolute difference.",
            lambda f, x: _error(f, x).abs().mean().item(),
        ),
        Fault("differences cancel", "Take absolute values before the largest.", lambda f, x: _error(f, x).max().item()),
        Fault(
            "the largest magnitudes are compared",
            "Subtract first, then take the largest.",
            lambda f, x: abs(float(f(x.rot90(1, (-2, -1))).abs().max() - f(x).abs().max())),
        ),
        Fault("squared differences", "Absolute differences.", lambda f, x: _error(f, x).square().max().item()),
    ),
)
