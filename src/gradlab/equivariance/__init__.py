"""Group equivariance: groups, the kernels they carry along, and convolutions over them; needs torch alone."""

from gradlab.equivariance.agreement import agreement_basis, band_limited, smooth
from gradlab.equivariance.convolution import GroupConvolution, LiftingConvolution
from gradlab.equivariance.expansion import ExpandedKernel, default_family
from gradlab.equivariance.export import exported
from gradlab.equivariance.finite_group import FiniteGroup, cyclic, dihedral, finite_group, subgroup, subgroup_indices
from gradlab.equivariance.groups import CyclicGroup, DihedralGroup, GroupBase
from gradlab.equivariance.handbook_kernels import (
    GroupKernelBase,
    InterpolativeGroupKernel,
    InterpolativeLiftingKernel,
    LiftingKernelBase,
)
from gradlab.equivariance.interpolated import interpolated
from gradlab.equivariance.kernel_family import Family, KernelFamily, exact_taps
from gradlab.equivariance.pooling import CosetPooling, GroupBatchNorm, GroupPooling, Restriction, SpatialPooling
from gradlab.equivariance.restricted import restricted
from gradlab.equivariance.scale_groups import ProductGroup, ScaleGroup
from gradlab.equivariance.separable import DepthwiseConvolution, SeparableGroupConvolution
from gradlab.equivariance.siren import siren
from gradlab.equivariance.taps import grid_preserving, tap_permutations, transformed
from gradlab.equivariance.truncated_group import TruncatedGroup, scale, scaled

__all__ = [
    "CosetPooling",
    "CyclicGroup",
    "DepthwiseConvolution",
    "DihedralGroup",
    "ExpandedKernel",
    "Family",
    "FiniteGroup",
    "GroupBase",
    "GroupBatchNorm",
    "GroupConvolution",
    "GroupKernelBase",
    "GroupPooling",
    "InterpolativeGroupKernel",
    "InterpolativeLiftingKernel",
    "KernelFamily",
    "LiftingConvolution",
    "LiftingKernelBase",
    "ProductGroup",
    "Restriction",
    "ScaleGroup",
    "SeparableGroupConvolution",
    "SpatialPooling",
    "TruncatedGroup",
    "agreement_basis",
    "band_limited",
    "cyclic",
    "default_family",
    "dihedral",
    "exact_taps",
    "exported",
    "finite_group",
    "grid_preserving",
    "interpolated",
    "restricted",
    "scale",
    "scaled",
    "siren",
    "smooth",
    "subgroup",
    "subgroup_indices",
    "tap_permutations",
    "transformed",
]
