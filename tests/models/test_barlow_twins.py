"""Barlow twins: an encoder and its wide head."""

import torch
from torch import Tensor, nn

from gradlab.models import BarlowTwins


def normed(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()


def test_is_three_layers_with_batch_norm_after_two():
    torch.manual_seed(0)
    model = BarlowTwins(nn.Linear(4, 5), feature_dim=5, projection_dim=7).double()
    rows = torch.randn(6, 4, dtype=torch.float64)
    weights = [module.weight for module in model.head if isinstance(module, nn.Linear)]
    assert [tuple(weight.shape) for weight in weights] == [(7, 5), (7, 7), (7, 7)]
    x = model.encoder(rows)
    for weight in weights[:2]:
        x = normed(x @ weight.T).clamp(min=0)
    torch.testing.assert_close(model(rows), x @ weights[2].T)
