"""The network of practical 5 in the handbook's own lines, beside gradlab's; the handbook asserts nothing there."""

import torch
from torch import nn

from gradlab.models import BaseNetwork as Ours


class BaseNetwork(nn.Module):
    def __init__(self, num_input_channels, c_hid, output_dim):
        """
        Inputs:
            - num_input_channels : Number of input channels of the image. For CIFAR, this parameter is 3
            - c_hid : Number of channels we use in the first convolutional layers. Deeper layers might use a duplicate of it.
            - output_dim : Dimensionality of the final latent representation
        """  # noqa: E501
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(num_input_channels, c_hid, kernel_size=3, padding=1, stride=2),  # 32x32 => 16x16
            nn.BatchNorm2d(c_hid),
            nn.SiLU(),
            nn.Conv2d(c_hid, c_hid, kernel_size=3, padding=1),
            nn.BatchNorm2d(c_hid),
            nn.SiLU(),
            nn.Conv2d(c_hid, 2 * c_hid, kernel_size=3, padding=1, stride=2),  # 16x16 => 8x8
            nn.BatchNorm2d(2 * c_hid),
            nn.SiLU(),
            nn.Conv2d(2 * c_hid, 2 * c_hid, kernel_size=3, padding=1),
            nn.BatchNorm2d(2 * c_hid),
            nn.SiLU(),
            nn.Conv2d(2 * c_hid, 2 * c_hid, kernel_size=3, padding=1, stride=2),  # 8x8 => 4x4
            nn.BatchNorm2d(2 * c_hid),
            nn.SiLU(),
            nn.Flatten(),  # Image grid to single feature vector
            nn.Linear(2 * 16 * c_hid, output_dim),
        )

    def forward(self, x):
        return self.net(x)


def test_the_networks_are_the_same_layer_for_layer():
    theirs, ours = BaseNetwork(3, 32, 512).double(), Ours(num_input_channels=3, c_hid=32, output_dim=512).double()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(ours(images), theirs(images))
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters()) == 627_808
