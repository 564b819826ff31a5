"""Why group convolutions may be computed as they are, and what other groups would take: measured on their layers."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from gradlab import rng
from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    Family,
    GroupBase,
    GroupConvolution,
    LiftingConvolution,
    ProductGroup,
    ScaleGroup,
    interpolated,
    siren,
)
from gradlab.evaluation import equivariance
from gradlab.experiments import group_equivariance
from gradlab.records import RunFolder
from gradlab.report import percent

CHANNELS, IMAGES = 8, 2
"""Of the layers that are measured, and of what two ways of computing read."""
ROUNDING = 1e-12
"""Relative difference in double precision below which two results are the same."""
KERNELS: dict[str, Family | None] = {
    "with the handbook's interpolation": interpolated(disc=False),
    "with the agreement basis": None,
    "with a small network of the place": siren(),
}
"""Ways to have a kernel between the taps."""


def why_lifting(run: RunFolder) -> Iterator[str]:
    """The copies of a kernel as output channels, against one convolution for every copy."""
    group, size = _group(run), _kernel_size(run)
    layer = _layer(LiftingConvolution, group, size)
    x = _random(CHANNELS, 2 * size, 2 * size)
    with torch.no_grad():
        apart = torch.stack([F.conv2d(x, copy) for copy in layer.kernel().unbind(1)], 2)
        difference = _difference(layer(x), apart)
    order = group.table.order
    yield (
        f"conv2d treats every output channel on its own, and a copy of a kernel needs nothing from the other copies: "
        f"{order} copies of {CHANNELS} kernels are {order * CHANNELS} output channels, and the reshape only numbers "
        f"them. For {group.table.name}, one convolution over all of them and {order} convolutions, one a copy, "
        f"{_agreement(difference)}."
    )


def why_group(run: RunFolder) -> Iterator[str]:
    """The group folded into the channels, against the explicit sum over the group."""
    group, size = _group(run), _kernel_size(run)
    layer = _layer(GroupConvolution, group, size)
    order = group.table.order
    x = _random(CHANNELS, order, 2 * size, 2 * size)
    with torch.no_grad():
        kernel = layer.kernel()
        summed = torch.stack(
            [sum((F.conv2d(x[:, :, read], kernel[:, made, :, read]) for read in range(order)), torch.zeros(()))
             for made in range(order)], 2,
        )  # fmt: skip
        difference = _difference(layer(x), summed)
    yield (
        "On the output side for the same reason. On the input side because the integral over a finite group is a sum, "
        f"and conv2d already sums over its input channels: {CHANNELS} channels on {order} elements are "
        f"{CHANNELS * order} channels, as long as features and kernel are folded in the same order. For "
        f"{group.table.name}, the layer and the sum over the elements written out {_agreement(difference)}."
    )


def other_groups(run: RunFolder) -> Iterator[str]:
    """Which groups there are beside rotations, what is difficult about them, and the error of one layer for some."""
    size = _kernel_size(run)
    mirrored, magnified = DihedralGroup(4), ScaleGroup(3)
    table = mirrored.table
    swapped = int((table.product != table.product.T).sum())
    yield (
        f"Reflections, where left and right may be exchanged, as under a microscope: in {table.name}, {swapped} of "
        f"{table.order**2} products change with the order of their factors."
    )
    lost = int((magnified.table.shifts[1] < 0).sum())
    yield (
        "Magnifications, for things at unknown distances: there is no largest one, so the group is cut off, and "
        f"{lost} of {magnified.table.order} scales leaves the range at every step. Beyond the plane, rotations of "
        "volumes, and changes of hue and of illumination."
    )
    groups = (mirrored, magnified, ProductGroup(CyclicGroup(4), magnified))
    told = "; ".join(f"{group.table.name} {_told(lifting_error(group, size))}" for group in groups)
    yield (
        f"The largest error of an untrained lifting layer with {size} x {size} taps over the elements, relative to its "
        f"response to smooth pictures: {told} (S3: magnifications by 1, 1.41 and 2)."
    )


def interpolation(run: RunFolder) -> Iterator[str]:
    """How far bilinear interpolation is from equivariant for groups that leave the grid, beside other kernels."""
    size = _kernel_size(run)
    told = []
    for group in (CyclicGroup(4), CyclicGroup(8), ScaleGroup(3)):
        errors = [f"{_told(lifting_error(group, size, family))} {name}" for name, family in KERNELS.items()]
        told.append(f"{group.table.name} {', '.join(errors)}")
    yield (
        f"The largest error of an untrained lifting layer with {size} x {size} taps over the elements, relative to its "
        f"response to smooth pictures: {'; '.join(told)} (S3: magnifications by 1, 1.41 and 2)."
    )
    family = _layer(LiftingConvolution, CyclicGroup(8), size).kernel.family
    yield (
        "Where an element maps taps onto taps nothing is interpolated. Elsewhere a hat one pixel wide blurs every copy "
        "in its own way, turned corners leave the square, and so does the rim of a magnified kernel."
    )
    yield (
        "Over a continuous domain a kernel can be a sum of smooth functions that are known everywhere, or a small "
        f"network of the place. The basis keeps the {family.dimensions} of {size**2} kernels whose copies for C8 agree "
        f"best, with a predicted error of at most {percent(family.error, 1)} for each."
    )


def several_dimensions(run: RunFolder) -> Iterator[str]:
    """What groups whose elements have several numbers need, and what they cost."""
    size = _kernel_size(run)
    groups = (CyclicGroup(4), DihedralGroup(4), ProductGroup(CyclicGroup(4), ScaleGroup(3)))
    mirrored = groups[1]
    yield (
        "A finite group stays one axis, whatever numbers name its elements: a table of integers says where the "
        "inverse of h times h' stands, the group axis is moved by it, and only the plane is interpolated. "
        f"grid_sample reads at most three axes, the plane's and one more. {mirrored.table.name}, named by angle and "
        "reflection, runs through the layer of C4; largest error of a group convolution over its elements: "
        f"{_told(group_error(mirrored, size))}."
    )
    told = []
    for group in groups:
        kernel = _layer(GroupConvolution, group, size).kernel
        copies = kernel().shape
        numbers = "1 number" if group.dimension == 1 else f"{group.dimension} numbers"
        told.append(
            f"{group.table.name} ({numbers} an element, order {group.table.order}) "
            f"{kernel.weight[0, 0].numel():,} weights, {copies[1] * copies[3:].numel():,} multiplications"
        )
    yield (
        "What grows is the cost, the multiplications with the square of the order. For a pair of channels, at every "
        f"place: {'; '.join(told)}."
    )


def lifting_error(group: GroupBase, size: int, family: Family | None = None) -> float:
    """The largest relative error of an untrained lifting layer over the elements, at the centre of rotation."""
    layer = _layer(LiftingConvolution, group, size, family, in_channels=1)
    return max(found.error for found in equivariance(layer, group, side=size))


def group_error(group: GroupBase, size: int) -> float:
    """As `lifting_error`, of an untrained group convolution."""
    layer = _layer(GroupConvolution, group, size)
    return max(found.error for found in equivariance(layer, group, channels=CHANNELS, side=size, on_group=True))


def _kernel_size(run: RunFolder) -> int:
    return run.document("config")["config"]["kernel_size"]


def _group(run: RunFolder) -> GroupBase:
    """The first group of a run, or C4 where it has none."""
    arms = [arm for arm in run.document("results")["arms"] if arm in group_equivariance.GROUPS]
    return group_equivariance.GROUPS[arms[0] if arms else "C4"]()


def _layer(
    kind: type[LiftingConvolution | GroupConvolution],
    group: GroupBase,
    size: int,
    family: Family | None = None,
    in_channels: int = CHANNELS,
) -> LiftingConvolution | GroupConvolution:
    """An untrained layer in double precision, whatever was drawn before."""
    with rng.global_stream(0, "answers"):
        return kind(group, in_channels, CHANNELS, size, family=family).double()


def _random(*sizes: int) -> Tensor:
    return torch.randn(IMAGES, *sizes, generator=rng.generator(0, "answers"), dtype=torch.float64)


def _difference(found: Tensor, expected: Tensor) -> float:
    """The largest difference, relative to the largest number."""
    return float((found - expected).abs().max() / expected.abs().max())


def _agreement(difference: float) -> str:
    return "give the same numbers" if difference < ROUNDING else f"differ by {difference:.1e}"


def _told(error: float) -> str:
    return "none" if error < ROUNDING else percent(error, 2)
