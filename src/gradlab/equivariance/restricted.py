"""The kernels of a finer group, for a part of it that costs less."""

from gradlab.equivariance.agreement import agreement_basis
from gradlab.equivariance.finite_group import FiniteGroup, subgroup_indices
from gradlab.equivariance.groups import GroupBase
from gradlab.equivariance.kernel_family import Family, KernelFamily


def restricted(finer: GroupBase, family: Family | None = None) -> Family:
    """The family of a finer group's kernels, moved by the elements of a subgroup alone.

    C4 with the kernels of C8 has no responses at 45 degrees, but its kernels are those that agree best when they turn
    by that much: fewer weights, learned sooner, and less is lost at the angles between the quarter turns.

    Args:
        finer: the group whose kernels they are.
        family: of the finer group; the agreement basis where None.

    Raises:
        ValueError: at the call, the group has an element that the finer one lacks.
    """

    def part(group: FiniteGroup, size: int) -> KernelFamily:
        inside = subgroup_indices(finer.table, group)
        whole = (family or agreement_basis())(finer.table, size)
        kept, representative = whole.representative[inside].unique(return_inverse=True)
        resampling = None if whole.resampling is None else whole.resampling[kept]
        error = whole.error if len(kept) > 1 else 0.0
        return KernelFamily(size, whole.dimensions, resampling, representative, whole.permutation[inside], error)

    return part
