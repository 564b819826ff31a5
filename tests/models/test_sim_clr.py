"""SimCLR: an encoder and its head."""

import torch
from torch import nn

from gradlab.models import SimCLR


def test_is_the_head_of_the_encoder():
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(6, 5))
    model = SimCLR(encoder, feature_dim=5, hidden_dim=3)
    images = torch.randn(4, 1, 2, 3)
    first, _, second = model.head
    assert first.weight.shape == (12, 5)
    hidden = (encoder(images) @ first.weight.T + first.bias).clamp(min=0)
    torch.testing.assert_close(model(images), hidden @ second.weight.T + second.bias)


def test_the_handbook_s_head_has_512_hidden_units_and_128_numbers():
    head = SimCLR(nn.Identity()).head
    assert [tuple(parameter.shape) for parameter in head.parameters()] == [(512, 512), (512,), (128, 512), (128,)]
