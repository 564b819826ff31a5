"""The kernels whose copies, moved off the pixel grid, agree best: for rotations that are no quarter turns."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gradlab.equivariance.finite_group import FiniteGroup
from gradlab.equivariance.kernel_family import Family, KernelFamily, decomposed, exact_taps
from gradlab.equivariance.taps import tap_points

Covariance = Callable[[Tensor], Tensor]
"""The covariance of two pixels of an isotropic signal, from their distance in pixels; 1 at distance 0."""

RIDGE = 1e-4
"""White noise in the signal, as a share of its variance: keeps its covariance invertible."""

EMPHASIS = 0.25
"""How much more smooth kernels count than others: rectifiers after them then make less of what no grid can turn."""


def band_limited(cutoff: float = 0.75 * math.pi) -> Covariance:
    """Of a signal with equal power at all frequencies up to `cutoff` radians a pixel, and none above."""

    def covariance(distance: Tensor) -> Tensor:
        angle = (cutoff * distance).clamp(min=1e-9)
        return torch.where(cutoff * distance < 1e-9, torch.ones_like(angle), 2 * torch.special.bessel_j1(angle) / angle)

    return covariance


def smooth(width: float = 1.5) -> Covariance:
    """Of white noise blurred by a Gaussian: exp(-distance^2 / (2 width^2)), `width` in pixels."""
    return lambda distance: torch.exp(-distance.square() / (2 * width**2))


def agreement_basis(
    tolerance: float = 0.04,
    dimensions: int | None = None,
    covariance: Covariance | None = None,
    emphasis: float = EMPHASIS,
) -> Family:
    """The family of the kernels that agree best, as many as stay within a tolerance.

    A random isotropic signal has covariance A between the taps of a window, and B_t between the taps and those of the
    window turned by t. The kernels whose responses on turned windows agree best are the leading eigenvectors of the
    block matrix [A^-1/2 B_(p-q) A^-1/2] over the representatives p and q (canonical correlation analysis of several
    sets of variables); an eigenvalue over the number of representatives is how far they agree, 1 for perfectly.

    Magnifications are representatives like others, and nobody tells the kernels of their determinant: copies that
    agree have it.

    Args:
        tolerance: the largest predicted error of any kernel, above 0; at least two kernels are taken whatever it says.
        dimensions: how many kernels are taken instead.
        covariance: of the signal; `smooth()` where None.
        emphasis: kernels are scaled by the standard deviation of their response to the signal, at equal energy, to this
            power: 0 treats all alike, 1 makes first kernels as smooth as the signal. It decides how the first weights
            and the steps of an optimiser are shared out, not which kernels are possible.

    Source: Kettenring 1971, "Canonical analysis of several sets of variables" (MAXVAR).
    """

    def family(group: FiniteGroup, size: int) -> KernelFamily:
        representatives, representative, permutation = decomposed(group, size)
        if len(representatives) == 1:
            return exact_taps(group, size)
        read = group.pulled(tap_points(size))[representatives]
        copies, agreement = _leading(read, covariance or smooth())
        count = len(representatives)
        # Responses of unit mean variance whose mean has the variance `agreement` differ pairwise by this deviation.
        errors = (2 * count / (count - 1) * (1 - agreement).clamp(min=0)).sqrt()
        kept = dimensions or max(2, int((errors <= tolerance).sum()))
        copies = _weighed(copies[..., :kept], emphasis)
        return KernelFamily(size, kept, copies, representative, permutation, float(errors[:kept].max()))

    return family


def _weighed(copies: Tensor, emphasis: float) -> Tensor:
    """Kernels of unit response variance, scaled as `agreement_basis` says; their mean energy is 1."""
    # A kernel of energy E and unit variance has the variance 1 / E at unit energy.
    energy = copies.square().sum(1).mean(0)
    scaled = copies * energy ** (-(1 + emphasis) / 2)
    return scaled / scaled.square().sum(1).mean().sqrt()


def _leading(read: Tensor, covariance: Covariance) -> tuple[Tensor, Tensor]:
    """Copies [turns, taps, taps] of all kernels, the best agreeing first, each of unit variance, and agreements.

    Args:
        read: where each representative's taps meet the unmoved signal, [turns, taps, 2].
        covariance: of the signal.
    """
    count, taps, _ = read.shape
    whiten = [_inverse_root(covariance(torch.cdist(points, points))) for points in read]
    blocks = [
        torch.cat([
            torch.eye(taps, dtype=torch.float64) if p == q
            else whiten[p] @ covariance(torch.cdist(read[p], read[q])) @ whiten[q]
            for q in range(count)
        ], 1)
        for p in range(count)
    ]  # fmt: skip
    together = torch.cat(blocks)
    values, vectors = torch.linalg.eigh((together + together.T) / 2)
    values, vectors = values.flip(0)[:taps] / count, vectors.flip(1)[:, :taps]
    copies = torch.einsum("pxy,pyd->pxd", torch.stack(whiten), vectors.reshape(count, taps, taps))
    return copies, values


def _inverse_root(signal: Tensor) -> Tensor:
    """The inverse square root of a covariance with a little noise."""
    values, vectors = torch.linalg.eigh(signal + RIDGE * torch.eye(len(signal), dtype=torch.float64))
    return vectors @ torch.diag(values.clamp(min=1e-12).rsqrt()) @ vectors.T
