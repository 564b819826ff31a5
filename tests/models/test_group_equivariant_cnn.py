import pytest
import torch

from gradlab.equivariance import CyclicGroup, DihedralGroup, agreement_basis, grid_preserving, transformed
from gradlab.models import GroupEquivariantCNN


def test_it_has_the_handbook_s_parameters_and_sizes():
    model = GroupEquivariantCNN(CyclicGroup(4), 1, 10, 5, 4, 16)
    assert sum(parameter.numel() for parameter in model.parameters()) == 102_970
    assert model.feature_maps(torch.randn(1, 1, 28, 28))[-1].shape == (1, 16, 4, 8, 8)
    assert model(torch.randn(1, 1, 28, 28)).shape == (1, 10)


@pytest.mark.parametrize("group", [CyclicGroup(4), DihedralGroup(4), CyclicGroup(8)], ids=lambda g: g.table.name)
def test_logits_are_invariant_and_maps_equivariant(group):
    torch.manual_seed(0)
    model = GroupEquivariantCNN(group, 2, 5, 3, 2, 4).double()
    x = torch.randn(2, 2, 11, 11, dtype=torch.float64)
    with torch.no_grad():
        logits, maps = model(x), model.feature_maps(x)
        for g in grid_preserving(group.table, 11).tolist():
            turned = transformed(group.table, g, x, on_group=False)
            assert torch.allclose(model(turned), logits, rtol=1e-12, atol=1e-13)
            for found, before in zip(model.feature_maps(turned), maps, strict=True):
                assert torch.allclose(found, transformed(group.table, g, before, on_group=True), rtol=1e-12, atol=1e-12)


def test_the_family_is_the_user_s_choice():
    model = GroupEquivariantCNN(CyclicGroup(8), 1, 10, 5, 1, 4, family=agreement_basis(dimensions=7))
    assert model.lifting_conv.kernel.weight.shape == (4, 1, 7)
    assert model.gconvs[0].kernel.weight.shape == (4, 4, 8, 7)
