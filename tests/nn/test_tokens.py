"""Symbols as one-hot vectors, as torch makes them, and under vmap, where torch cannot."""

import pytest
import torch
from torch.func import vmap
from torch.nn import functional as F

from gradlab.nn import as_features, one_hot


def test_equals_torch_s():
    tokens = torch.randint(7, (3, 5))
    assert torch.equal(one_hot(tokens, 7), F.one_hot(tokens, 7).float())
    assert one_hot(tokens, 7, torch.float64).dtype == torch.float64


def test_vmap_takes_it_and_not_torch_s():
    tokens = torch.randint(7, (3, 5))
    assert torch.equal(vmap(lambda row: one_hot(row, 7))(tokens), one_hot(tokens, 7))
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(F.one_hot)(tokens)


def test_a_symbol_outside_gives_zeros():
    assert one_hot(torch.tensor([-1, 7]), 7).sum() == 0


def test_features_pass_and_tokens_become_features():
    features = torch.randn(2, 3, 4)
    assert as_features(features, 4, torch.float32) is features
    tokens = torch.randint(4, (2, 3), dtype=torch.uint8)
    assert torch.equal(as_features(tokens, 4, torch.float32), one_hot(tokens, 4))
    with pytest.raises(ValueError, match=r"must have 5 features: got \(2, 3, 4\)"):
        as_features(features, 5, torch.float32)
