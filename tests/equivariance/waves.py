"""How far layers are from equivariant at the centre of rotation."""

import torch
from torch import Tensor

from gradlab.equivariance import FiniteGroup, GroupConvolution, LiftingConvolution, TruncatedGroup
from gradlab.equivariance.taps import tap_points
from gradlab.evaluation.equivariance import pictures


def error_at_the_centre(
    group: FiniteGroup,
    layers: list[LiftingConvolution | GroupConvolution],
    highest: float,
    element: int = 1,
    missing: int = 0,
) -> float:
    """The relative error of responses at the centre of rotation, a fixed point, so that nothing is interpolated.

    Of a truncated group, only elements that have a counterpart are compared, and of these not those whose counterpart
    is among the `missing` coarsest scales but one.
    """
    side = 1 + sum(layer.kernel.kernel_size - 1 for layer in layers)
    points = tap_points(side)

    def responses(at: Tensor) -> Tensor:
        features = pictures(at, highest=highest, count=48, seed=1).view(-1, 1, side, side)
        for place, layer in enumerate(layers):
            features = layer(features)
            if place + 1 < len(layers):
                features = features.relu()
        return features[..., 0, 0]

    shifts = group.shifts[element]
    compared = shifts >= 0
    if isinstance(group, TruncatedGroup):
        scales = len(group.exponents)
        compared &= shifts % scales < scales - 1 - missing
    with torch.no_grad():
        expected = responses(points)[:, :, shifts[compared]]
        found = responses(group.pulled(points)[element])[
            :, :, compared
        ]  # the turned picture at x is the picture at g^-1 x
    return float((found - expected).square().mean().sqrt() / expected.square().mean().sqrt())
