"""Networks over groups as networks of plain convolutions."""

import pytest
import torch
from torch import nn

from gradlab.equivariance import CyclicGroup, DihedralGroup, exported
from gradlab.equivariance.convolution import MovedKernelConvolution
from gradlab.models import P4CNN, GroupEquivariantCNN, ResidualGroupCNN, StridedGroupCNN

NETWORKS = {
    "GroupEquivariantCNN": lambda: GroupEquivariantCNN(CyclicGroup(8), 2, 5, 3, 2, 3),
    "P4CNN": lambda: P4CNN(DihedralGroup(4), 28, 2, 5, 3),
    "ResidualGroupCNN": lambda: ResidualGroupCNN(CyclicGroup(4), 5, (1, 1), (3, 4), 2),
    "StridedGroupCNN": lambda: StridedGroupCNN(CyclicGroup(8), 28, 2, 5, (3, 4), (2, 1)),
    "StridedGroupCNN, separable": lambda: StridedGroupCNN(CyclicGroup(8), 28, 2, 5, (3, 4), (2, 1), separable=True),
}


@pytest.fixture(params=NETWORKS)
def network(request) -> nn.Module:
    """A network whose norms have seen images."""
    torch.manual_seed(0)
    made = NETWORKS[request.param]()
    made(torch.randn(8, 2, 28, 28))
    return made.eval()


@torch.no_grad()
def test_an_exported_network_gives_the_same_bits(network):
    images = torch.randn(3, 2, 28, 28)
    expected = network(images)
    plain = exported(network)
    assert torch.equal(plain(images), expected)
    assert any(isinstance(module, nn.Conv2d) for module in plain.modules())
    assert not any(isinstance(module, MovedKernelConvolution) for module in plain.modules())


@torch.no_grad()
def test_what_is_exported_stands_alone(network):
    images = torch.randn(3, 2, 28, 28)
    plain, before = exported(network), network(images)
    for parameter in plain.parameters():
        parameter.add_(1.0)
    assert torch.equal(network(images), before)
    assert not torch.equal(plain(images), before)


def test_an_exported_network_can_be_saved_as_a_program(network):
    images = torch.randn(3, 2, 28, 28)
    plain = exported(network)
    program = torch.export.export(plain, (images,))
    torch.testing.assert_close(program.module()(images), network(images))
