"""The handbook's kernels: weights on the grid, read between the taps by bilinear interpolation."""

from gradlab.equivariance.finite_group import FiniteGroup
from gradlab.equivariance.kernel_family import Family, KernelFamily, decomposed
from gradlab.equivariance.taps import tap_points


def interpolated(disc: bool = True) -> Family:
    """The family of all kernels, moved off the grid by bilinear interpolation.

    Args:
        disc: whether taps whose centre lies outside the circle of diameter `size` are left out; with magnifications
            outside the circle that the largest one makes so wide. The handbook keeps them, and loses most of a corner's
            weight when it turns by 45 degrees.

    Magnified kernels are divided by the determinant of the magnification.

    Source: the handbook, practical 4, sections 1.1, 2.1.2 and 2.2.2.
    Differs from the handbook: the group axis is moved by integers, never interpolated, and grid-preserving elements
    move taps as integers too.
    """

    def family(group: FiniteGroup, size: int) -> KernelFamily:
        representatives, representative, permutation = decomposed(group, size)
        points = tap_points(size)
        magnified = group.magnifications[representatives]
        within = size / 2 if disc else size
        inside = points.norm(dim=1) <= within / magnified.max()
        # The tap at x reads the weights at r^-1 x: a hat of width one around every tap.
        read = group.pulled(points)[representatives]
        hat = (1 - (read.unsqueeze(2) - points).abs()).clamp(min=0).prod(-1)
        kept = hat * (points.norm(dim=1) <= within).unsqueeze(1) / magnified.square().view(-1, 1, 1)
        return KernelFamily(size, int(inside.sum()), kept[..., inside], representative, permutation, float("nan"))

    return family
