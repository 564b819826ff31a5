"""A linear classifier on top of an encoder."""

import torch
from torch import nn

from gradlab.models import Baseline


def test_is_a_linear_layer_on_the_features():
    torch.manual_seed(0)
    encoder = nn.Linear(4, 5)
    model = Baseline(encoder, feature_dim=5, num_classes=3)
    rows = torch.randn(6, 4)
    torch.testing.assert_close(model(rows), encoder(rows) @ model.head.weight.T + model.head.bias)
