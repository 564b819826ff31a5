"""How strongly kernels answer to the signals that they meet: what first weights are scaled by."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from gradlab.equivariance.agreement import smooth
from gradlab.equivariance.kernel_family import KernelFamily
from gradlab.equivariance.taps import tap_points

SHARED = 1 / math.pi
"""Of rectified Gaussian signals: what two independent ones have in common, as a share of their mean square."""


def response(family: KernelFamily, resampling: Tensor | None, offsets: Tensor | None = None, reach: int = 1) -> float:
    """The mean over the elements of the mean square that independent unit weights give to a response.

    Pictures are taken for smooth signals of mean 0, features on the group for rectified ones; both of mean square 1.
    Kernels as smooth answer several times as strongly to them as to white noise. Where one set of weights serves the
    whole group axis, features are taken to be the same at all elements, which kernels so alike make nearly true. To
    kernels whose weights are taps it makes no difference.

    Args:
        family: of the kernels.
        resampling: its own or the learned one, [representatives, (reach,) taps, dimensions]; None for taps.
        offsets: where the kernel is read along the group axis, see `KernelFamily.gather`; None on the plane alone.
        reach: the length of that axis.

    Source: He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers", section 2.2, whose inputs are white.
    """
    points = tap_points(family.size)
    signal = smooth()(torch.cdist(points, points))
    if resampling is None:
        resampling = torch.eye(len(points)).unsqueeze(0)
    resampling = resampling.detach().double()
    if offsets is None:
        return float(_power(resampling, signal)[family.representative].mean())
    rectified = (1 - SHARED) * signal + SHARED
    reached = F.one_hot(offsets.clamp(min=0), reach).double() * (offsets >= 0).unsqueeze(-1)
    counts = reached.sum(1)  # how often each element reads each part of the group axis, [order, reach]
    if resampling.ndim == 3:  # weights of their own for every part
        return float((counts.sum(1) * _power(resampling, rectified)[family.representative]).mean())
    added = torch.einsum("hr,hrtd->htd", counts, resampling[family.representative])
    return float(_power(added, rectified).mean())


def _power(resampling: Tensor, signal: Tensor) -> Tensor:
    """The mean square of responses to a signal of this covariance, for each of [..., taps, dimensions]."""
    return torch.einsum("...td,tu,...ud->...", resampling, signal, resampling)
