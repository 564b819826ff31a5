"""How far a layer or a network is from equivariant, element by element."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gradlab.equivariance import FiniteGroup, GroupBase, grid_preserving, transformed
from gradlab.equivariance.taps import tap_points

WAVES = 40

Act = Callable[[int, Tensor], Tensor]
"""What an element (by index) does to an output."""


@dataclass(frozen=True, slots=True)
class ElementError:
    """The error of one element.

    Args:
        element: its index in the group.
        error: root mean square of f(L_g x) - L_g f(x), over that of f(x).
        everywhere: whether whole outputs were compared; else only the centre of rotation, a fixed point, because the
            element moves pixels off the grid.
    """

    element: int
    error: float
    everywhere: bool


def pictures(points: Tensor, *, highest: float = 0.5, count: int = 16, seed: int = 0) -> Tensor:
    """Random pictures that can be read anywhere, sums of waves: float64 [count, points].

    Args:
        points: (x, y) in pixels, [points, 2].
        highest: the highest frequency, as a share of pi radians a pixel.
        count: how many.
        seed: of the frequencies and phases.
    """
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(3, count, WAVES, generator=generator, dtype=torch.float64)
    radius, angle, phase = highest * math.pi * draws[0].sqrt(), 2 * math.pi * draws[1], 2 * math.pi * draws[2]
    frequency = torch.stack([radius * angle.cos(), radius * angle.sin()], -1)
    return torch.cos(frequency @ points.T + phase[..., None]).sum(1)


@torch.no_grad()
def equivariance(
    module: nn.Module,
    group: GroupBase | FiniteGroup,
    *,
    channels: int = 1,
    side: int = 29,
    on_group: bool = False,
    highest: float = 0.5,
    act: Act | None = None,
    images: int = 16,
) -> list[ElementError]:
    """The error of every element of a group, on random band-limited pictures turned without interpolation.

    Outputs [batch, numbers] should not change; [batch, channels, height, width] should turn as pictures do, and
    [batch, channels, order, height, width] as functions on the plane and the group. For the first kind pictures fade to
    nothing inside the circle that the square holds, so that no turn brings something new into a corner. Of a truncated
    group only those elements of an output are compared that have a counterpart in its range.

    Args:
        module: any layer or network, gradlab's or not; left in the mode it is in.
        group: acts on its inputs.
        channels: of its inputs.
        side: height and width of its inputs, in pixels.
        on_group: whether its inputs are functions on the group, [batch, channels, order, side, side].
        highest: the highest frequency of the pictures, as a share of pi radians a pixel.
        act: what an element does to an output, where it is none of the above.
        images: how many pictures.

    Raises:
        ValueError: an element moves pixels off the grid and the output has no pixel at its centre.
    """
    table = group.table if isinstance(group, GroupBase) else group
    parameter = next(module.parameters(), torch.zeros(1))
    points = tap_points(side)

    def inputs(element: int, *, faded: bool) -> Tensor:
        """The pictures as the element moved them: read at g^-1 x (and g^-1 h)."""
        order = table.order if on_group else 1
        read = pictures(table.pulled(points)[element], highest=highest, count=images * channels * order)
        read = read * _window(points, side) if faded else read
        shaped = read.view(images, channels, *((order,) if on_group else ()), side, side)
        if on_group:  # what a truncated group would have to bring in from outside its range is zero
            shifts = table.shifts[element]
            shaped = shaped[:, :, shifts] * (shifts >= 0).view(-1, 1, 1)
        return shaped.to(parameter)

    expected = module(inputs(table.identity, faded=False))
    if faded := act is None and expected.ndim == 2:
        expected = module(inputs(table.identity, faded=True))
    kept = set(grid_preserving(table, side).tolist())
    errors = []
    for element in range(table.order):
        found, everywhere = module(inputs(element, faded=faded)), element in kept
        if act is not None:
            wanted = act(element, expected)
        elif faded:
            wanted, everywhere = expected, True
        else:
            found, wanted = _maps(table, element, found, expected, everywhere=everywhere)
        error = (found - wanted).double().square().mean().sqrt() / expected.double().square().mean().sqrt()
        errors.append(ElementError(element, float(error), everywhere))
    return errors


def _window(points: Tensor, side: int) -> Tensor:
    """1 in the middle, falling to 0 from half of the inscribed circle's radius to the whole, [points]."""
    share = ((points.norm(dim=1) / (side / 2) - 0.5) / 0.5).clamp(0, 1)
    return (1 + torch.cos(math.pi * share)) / 2


def _maps(
    group: FiniteGroup, element: int, found: Tensor, expected: Tensor, *, everywhere: bool
) -> tuple[Tensor, Tensor]:
    """Two feature maps that should be equal: whole ones where the grid is kept, else their centres."""
    on_group = expected.ndim == 5
    if everywhere:
        return found, transformed(group, element, expected, on_group=on_group)
    height, width = expected.shape[-2:]
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(
            f"element {element} of {group.name} moves pixels off the grid, and an output of {height} x {width} has no "
            "pixel at its centre: choose a side for which it is odd"
        )
    found, expected = (maps[..., height // 2, width // 2] for maps in (found, expected))
    if not on_group:
        return found, expected
    shifts = group.shifts[element].to(expected.device)
    compared = shifts >= 0
    return found[:, :, compared], expected[:, :, shifts[compared]]
