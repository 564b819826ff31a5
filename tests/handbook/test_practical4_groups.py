"""The handbook's own tests of groups and kernels (practical 4), their lines unchanged."""

import torch

from gradlab.equivariance import (
    CyclicGroup,
    GroupConvolution,
    InterpolativeGroupKernel,
    InterpolativeLiftingKernel,
    LiftingConvolution,
    LiftingKernelBase,
)


def test_group():
    c4 = CyclicGroup(order=4)
    e, g1, g2, g3 = c4.elements()

    assert c4.product(e, g1) == g1 and c4.product(g1, g2) == g3  # noqa: PT018
    assert c4.product(g1, c4.inverse(g1)) == e

    assert torch.allclose(c4.matrix_representation(e), torch.eye(2))
    assert torch.allclose(c4.matrix_representation(g2), torch.tensor([[-1, 0], [0, -1]]).float(), atol=1e-6)

    assert torch.allclose(c4.left_action_on_R2([g1], torch.tensor([[[0.]], [[1.]]])), torch.tensor([[[0., -1.]]]), atol=1e-7)  # noqa: E501  # fmt: skip


def test_a_counterclockwise_rotation_of_270_degrees():
    img_grid_R2 = torch.stack(torch.meshgrid(torch.linspace(-1, 1, 6), torch.linspace(-1, 1, 4), indexing="ij"))  # noqa: N806
    c4 = CyclicGroup(order=4)
    e, g1, g2, _ = c4.elements()

    g3 = c4.product(c4.product(e, g1), g2)

    assert g3 == c4.elements()[-1]

    transformed_grid = c4.left_action_on_R2(c4.inverse(g3).unsqueeze(0), img_grid_R2)

    assert transformed_grid.shape == torch.Size([1, 6, 4, 2])


def test_lifting_kernel_base():
    lifting_kernel_base = LiftingKernelBase(group=CyclicGroup(order=4), kernel_size=2, in_channels=1, out_channels=1)

    assert lifting_kernel_base.transformed_grid_R2.shape == torch.Size([4, 2, 2, 2])


def test_kernels_and_convolutions_are_made_as_the_handbook_makes_them():
    ik = InterpolativeLiftingKernel(group=CyclicGroup(order=4), kernel_size=5, in_channels=2, out_channels=1)
    assert ik.sample().shape == (1, 4, 2, 5, 5)
    ik = InterpolativeGroupKernel(group=CyclicGroup(order=4), kernel_size=5, in_channels=2, out_channels=8)
    assert ik.sample().shape == (8, 4, 2, 4, 5, 5)
    lifting_conv = LiftingConvolution(group=CyclicGroup(order=4), kernel_size=5, in_channels=3, out_channels=8)
    group_conv = GroupConvolution(group=CyclicGroup(order=4), kernel_size=5, in_channels=8, out_channels=16)
    assert group_conv(lifting_conv(torch.randn(2, 3, 28, 30))).shape == (2, 16, 4, 20, 22)
