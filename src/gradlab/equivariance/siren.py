"""Continuous kernels: a small network of sines over the coordinates of the plane, and of the group."""

import itertools
import math
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from gradlab.equivariance.finite_group import FiniteGroup
from gradlab.equivariance.kernel_family import Family, KernelFamily, decomposed
from gradlab.equivariance.taps import tap_points


class Siren(nn.Module):
    """What sine layers make of fixed coordinates: features that a last, linear layer turns into kernels.

    Args:
        coordinates: float64 [..., numbers], from -1 to 1.
        amplitude: float64, what the features are multiplied by, broadcast over [..., 1].
        features: of every layer.
        layers: how many.
        frequency: the factor of every layer before its sine, about the highest frequency in radians per unit.

    Source: Sitzmann, Martel, Bergman, Lindell and Wetzstein 2020, "Implicit neural representations with periodic
    activation functions", sections 3.1 and 3.2.
    """

    coordinates: Tensor
    amplitude: Tensor

    def __init__(self, coordinates: Tensor, amplitude: Tensor, features: int, layers: int, frequency: float) -> None:
        super().__init__()
        self.frequency, self._exact = frequency, (coordinates, amplitude)
        sizes = [coordinates.shape[-1], *([features] * layers)]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in itertools.pairwise(sizes))
        for name, exact in zip(("coordinates", "amplitude"), self._exact, strict=True):
            self.register_buffer(name, exact.to(torch.get_default_dtype()), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weights for which the input of every sine but the first is about standard normal.

        The first layer's are those of the paper for the plane, whatever other coordinates there are: kernels are then
        as fine, and differ from element to element.
        """
        for place, layer in enumerate(self.layers):
            assert isinstance(layer, nn.Linear)
            bound = math.sqrt(6 / layer.in_features) / self.frequency if place else 0.5
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -1 / math.sqrt(layer.in_features), 1 / math.sqrt(layer.in_features))

    def forward(self) -> Tensor:
        """Returns the features [..., features]."""
        x = self.coordinates
        for layer in self.layers:
            x = torch.sin(self.frequency * layer(x))
        return x * self.amplitude

    def _apply(self, fn: Any, recurse: bool = True) -> "Siren":
        """As for any module, but the coordinates are taken anew from float64: a change of precision is never lost."""
        super()._apply(fn, recurse)
        weight = next(self.parameters())
        self.coordinates, self.amplitude = (exact.to(weight) for exact in self._exact)
        return self


Window = Literal["faded", "disc", "square"]


def siren(features: int = 16, layers: int = 2, frequency: float = 5.0, window: Window = "faded") -> Family:
    """The family of kernels that a network of sines over the coordinates makes, for any group.

    One network a layer, shared by its channels, whose last, linear layer has a weight for every pair of channels and
    feature. Magnified kernels are divided by the determinant of the magnification.

    Args:
        features: of every layer; how many numbers a pair of channels has.
        layers: with a sine, before the last one.
        frequency: the factor before the sines: higher ones make finer kernels, which agree less off the grid.
        window: "disc" lets kernels vanish outside a circle, of diameter `size` divided by the largest magnification;
            "faded" lets them fade from its centre to its edge as well, which agrees best off the grid; "square" keeps
            every tap.

    Source: Knigge, Romero and Bekkers 2022, "Exploiting redundancy: separable group convolutional networks on Lie
    groups", section 5; Romero, Kuzina, Bekkers, Tomczak and Hoogendoorn 2021, "CKConv: continuous kernel convolution
    for sequential data", section 4.
    Differs from the paper: kernels fade towards the circle; elements that keep the grid move taps as integers, and
    are told to the network by their matrices, so that a turn by 359 degrees lies beside one by 0.

    Raises:
        ValueError: no features or layers, or no such window.
    """
    if window not in get_args(Window):
        raise ValueError(f"a window is one of {', '.join(get_args(Window))}: got {window}")
    if features < 1 or layers < 1:
        raise ValueError(f"a network of sines has at least 1 feature and 1 layer: got {features} and {layers}")

    def family(group: FiniteGroup, size: int) -> KernelFamily:
        representatives, representative, permutation = decomposed(group, size)
        magnified = group.magnifications[representatives]
        radius = size / 2 / float(magnified.max())
        read = group.pulled(tap_points(size))[representatives] / radius
        amplitude = _window(read.norm(dim=-1, keepdim=True), window) / magnified.square().view(-1, 1, 1)

        def learned(on_group: bool) -> Siren:
            if not on_group:
                return Siren(read, amplitude, features, layers, frequency)
            elements = element_coordinates(group.relatives)
            count, reach, taps = len(read), len(elements), size**2
            on_plane = read[:, None].expand(-1, reach, -1, -1)
            joint = torch.cat([on_plane, elements[None, :, None].expand(count, -1, taps, -1)], -1)
            return Siren(joint, amplitude.unsqueeze(1), features, layers, frequency)

        return KernelFamily(size, features, None, representative, permutation, float("nan"), learned)

    return family


def _window(radius: Tensor, window: Window) -> Tensor:
    """What kernels are multiplied by at a distance from the centre, 1 at the edge of the circle."""
    if window == "faded":
        return (1 + torch.cos(math.pi * radius.clamp(max=1))) / 2
    return torch.ones_like(radius) if window == "square" else (radius <= 1 + 1e-9).to(radius)


def element_coordinates(matrices: Tensor) -> Tensor:
    """Numbers from -1 to 1 that tell elements apart: cosine and sine, reflection, logarithm of the magnification.

    Args:
        matrices: rotations, reflections and multiples of them, float64 [elements, 2, 2].

    Returns:
        float64 [elements, numbers]; numbers that all elements share are left out.
    """
    determinant = torch.linalg.det(matrices)
    length = determinant.abs().sqrt()
    first = matrices[:, 0] / length.unsqueeze(1)
    logarithm = length.log()
    largest = logarithm.abs().max().clamp(min=1e-12)
    numbers = torch.cat([first, determinant.sign().unsqueeze(1), (logarithm / largest).unsqueeze(1)], 1)
    return numbers[:, (numbers.amax(0) - numbers.amin(0)) > 1e-9]
