"""The handbook's own test of an MLP (practical 1, part 1), its lines unchanged, on several drawn sizes."""

# ruff: noqa: NPY002

import numpy as np
import pytest
import torch

from gradlab.models import MLP

device = torch.device("cpu")


@pytest.mark.parametrize("seed", range(5))
def test_mlp(seed):
    np.random.seed(seed)
    # Let's test the MLP implementation
    input_size = np.random.randint(low=64, high=3072)
    num_classes = np.random.randint(low=5, high=20)
    hidden_sizes = [np.random.randint(low=32, high=256) for _ in range(np.random.randint(low=1, high=3))]
    my_mlp = MLP(input_size=input_size, num_classes=num_classes, hidden_sizes=hidden_sizes)
    my_mlp.to(device)
    random_input = torch.randn(32, input_size, device=device)
    random_output = my_mlp(random_input)
    assert random_output.shape[0] == random_input.shape[0]
    assert random_output.shape[1] == num_classes


def test_the_defaults_are_the_handbook_s():
    layers = [layer for layer in MLP().layers if isinstance(layer, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(3072, 256), (256, 128), (128, 10)]
