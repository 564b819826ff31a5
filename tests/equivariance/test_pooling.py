import pytest
import torch

from gradlab.equivariance import (
    CosetPooling,
    CyclicGroup,
    DihedralGroup,
    GroupBatchNorm,
    GroupPooling,
    Restriction,
    SpatialPooling,
    subgroup,
    transformed,
)
from gradlab.equivariance.pooling import left_cosets

KINDS = ["max", "mean"]


def features(group, side=6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(-8, 9, (2, 3, group.table.order, side, side), generator=generator).double()


@pytest.mark.parametrize("kind", KINDS)
def test_pooled_over_the_group_a_map_turns_as_a_picture(kind):
    group = DihedralGroup(4)
    x, pool = features(group), GroupPooling(kind)
    for g in range(8):
        turned = pool(transformed(group.table, g, x, on_group=True))
        assert torch.allclose(turned, transformed(group.table, g, pool(x), on_group=False))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [CyclicGroup(2), CyclicGroup(4), DihedralGroup(1)], ids=lambda g: g.table.name)
def test_coset_pooling_moves_with_the_cosets(part, kind):
    group = DihedralGroup(4)
    x, pool = features(group), CosetPooling(group, part, kind)
    pooled = pool(x)
    assert pooled.shape[2] == 8 // part.table.order
    for g in range(8):
        moved = pool(transformed(group.table, g, x, on_group=True))
        where = [int((pool.members == group.table.product[group.table.inverse[g], row[0]]).any(1).int().argmax())
                 for row in pool.members]  # fmt: skip
        expected = transformed(group.table, g, pooled, on_group=False)[:, :, where]
        assert torch.allclose(moved, expected)


@pytest.mark.parametrize("part", [CyclicGroup(2), CyclicGroup(4), DihedralGroup(2)], ids=lambda g: g.table.name)
def test_restricted_features_are_features_of_the_subgroup(part):
    group = DihedralGroup(4)
    x, restrict = features(group), Restriction(group, part)
    inside = [int((group.table.matrices - matrix).abs().amax((1, 2)).argmin()) for matrix in part.table.matrices]
    assert restrict(x).shape[1:3] == (3 * 8 // part.table.order, part.table.order)
    for place, g in enumerate(inside):
        moved = restrict(transformed(group.table, g, x, on_group=True))
        assert torch.equal(moved, transformed(part.table, place, restrict(x), on_group=True))


@pytest.mark.parametrize("kind", KINDS)
def test_windows_that_tile_turn_with_the_image(kind):
    group = CyclicGroup(4)
    x, pool = features(group), SpatialPooling(2, kind)
    assert pool(x).shape == (2, 3, 4, 3, 3)
    for g in range(4):
        turned = pool(transformed(group.table, g, x, on_group=True))
        assert torch.allclose(turned, transformed(group.table, g, pool(x), on_group=True))
    with pytest.raises(ValueError, match=r"windows of 2 do not tile a height of 5.*take 4 or 6"):
        pool(features(group, 5))


def test_norms_are_shared_by_the_group():
    group, norm = CyclicGroup(4), GroupBatchNorm(3).double()
    x = features(group)
    for g in range(4):
        turned = norm(transformed(group.table, g, x, on_group=True))
        assert torch.allclose(turned, transformed(group.table, g, norm(x), on_group=True))
    assert norm.weight.shape == (3,)


def test_left_cosets_are_moved_by_the_group():
    group = DihedralGroup(3).table
    part = torch.tensor([0, 3])
    assert subgroup(group, part).order == 2
    for row in left_cosets(group, part):
        assert torch.equal(row, group.product[row[0], part])
    with pytest.raises(ValueError, match="C4 is not a subgroup of D3"):
        CosetPooling(DihedralGroup(3), CyclicGroup(4))
