"""Pictures that can be turned by any angle without interpolation: sums of waves."""

import math

import torch
from torch import Tensor

from gradlab.equivariance import FiniteGroup, GroupConvolution, LiftingConvolution
from gradlab.equivariance.taps import tap_points


def pictures(points: Tensor, highest: float, count: int = 48, waves: int = 40) -> Tensor:
    """Random band-limited pictures [count, points] at points (x, y), frequencies below `highest` * pi a pixel."""
    generator = torch.Generator().manual_seed(1)
    draws = torch.rand(3, count, waves, generator=generator, dtype=torch.float64)
    radius, angle, phase = highest * math.pi * draws[0].sqrt(), 2 * math.pi * draws[1], 2 * math.pi * draws[2]
    frequency = torch.stack([radius * angle.cos(), radius * angle.sin()], -1)
    return torch.cos(frequency @ points.T + phase[..., None]).sum(1)


def error_at_the_centre(
    group: FiniteGroup, layers: list[LiftingConvolution | GroupConvolution], highest: float, element: int = 1
) -> float:
    """The relative error of responses at the centre of rotation, a fixed point, so that nothing is interpolated."""
    side = 1 + sum(layer.kernel.kernel_size - 1 for layer in layers)
    points = tap_points(side)

    def responses(at: Tensor) -> Tensor:
        features = pictures(at, highest).view(-1, 1, side, side)
        for place, layer in enumerate(layers):
            features = layer(features)
            if place + 1 < len(layers):
                features = features.relu()
        return features[..., 0, 0]

    with torch.no_grad():
        expected = responses(points)[:, :, group.shifts[element]]
        found = responses(points @ group.matrices[element])  # the turned picture at x is the picture at g^-1 x
    return float((found - expected).square().mean().sqrt() / expected.square().mean().sqrt())
