"""Attention against torch's own, with and without masks, and where nothing is seen."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from gradlab.nn import MultiHeadedAttention, attention


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(
    lead=st.lists(st.integers(1, 3), max_size=2), queries=st.integers(1, 5), keys=st.integers(1, 5),
    features=st.integers(1, 6), masked=st.booleans(), seed=st.integers(0, 1000),
)  # fmt: skip
def test_equals_torch_s_attention_with_rows_that_see_nothing_too(lead, queries, keys, features, masked, seed):
    query, key, value = (drawn(*lead, n, features, seed=seed + i) for i, n in enumerate((queries, keys, keys)))
    seen = drawn(queries, keys, seed=seed + 9) > 0 if masked else None
    mixed, weights = attention(query, key, value, seen)
    torch.testing.assert_close(mixed, F.scaled_dot_product_attention(query, key, value, seen), rtol=0, atol=1e-12)
    torch.testing.assert_close(weights @ value, mixed)
    expected = torch.ones(*lead, queries, dtype=torch.float64) if seen is None else seen.any(-1).double()
    torch.testing.assert_close(weights.sum(-1), expected.expand(*lead, queries))
    if seen is not None:
        assert (weights[..., ~seen] == 0).all()


@pytest.mark.parametrize("kind", [torch.bool, torch.int64, torch.float32])
def test_a_mask_hides_where_it_is_zero_whatever_its_type(kind):
    query = drawn(2, 3, 4)
    mask = torch.tensor([[1, 0, 1]]).to(kind)
    _, weights = attention(query, query, query, mask)
    assert (weights[:, :, 1] == 0).all()
    assert (weights[:, :, [0, 2]] > 0).all()


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_a_query_that_sees_nothing_gets_zeros_and_finite_gradients():
    query, mask = drawn(2, 4).requires_grad_(), torch.tensor([[0, 0], [1, 1]])
    with torch.autograd.detect_anomaly(check_nan=True):
        mixed, weights = attention(query, query, query, mask)
        mixed.square().sum().backward()
    assert (mixed[0] == 0).all()
    assert (weights[0] == 0).all()
    assert query.grad.isfinite().all()


def test_the_handbook_s_mask_gives_nan_there():
    scores = drawn(2, 2).masked_fill(torch.tensor([[0, 0], [1, 1]]) == 0, -math.inf)
    assert scores.softmax(-1)[0].isnan().all()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_hidden_keys_weigh_nothing_in_every_precision(kind):
    query = (drawn(1, 3, 4) * 10).to(kind)
    _, weights = attention(query, query, query, torch.tensor([1, 1, 0]))
    assert (weights[..., 2] == 0).all()
    torch.testing.assert_close(weights.float().sum(-1), torch.ones(1, 3), rtol=0, atol=1e-2)


def test_the_root_keeps_the_scores_scale():
    """For unit normal queries and keys the scores have variance 1, whatever the width; 3 parts in 100 at 40,000."""
    for features in (4, 64):
        query, key = drawn(200, features), drawn(200, features, seed=1)
        scores = query @ key.T / math.sqrt(features)
        assert abs(scores.var().item() - 1) < 0.2
        torch.testing.assert_close(attention(query, key, key)[1], scores.softmax(-1))


def test_dropout_touches_the_weights_before_they_mix():
    query = drawn(2, 3, 4)
    mixed, weights = attention(query, query, query, dropout=lambda weights: weights * 0)
    assert (mixed == 0).all()
    assert (weights == 0).all()


# --- several heads


def theirs(ours, features, heads, dropout=0.0):
    """torch's layer with our weights."""
    layer = nn.MultiheadAttention(features, heads, dropout=dropout, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([linear.weight for linear in ours.linears[:3]]))
        layer.in_proj_bias.copy_(torch.cat([linear.bias for linear in ours.linears[:3]]))
    layer.out_proj.load_state_dict(ours.linears[3].state_dict())
    return layer


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("mask_shape", [None, (1, 1, 5), (3, 1, 5), (3, 4, 5)])
def test_equals_torch_s_layer_with_the_same_weights(heads, mask_shape):
    ours = MultiHeadedAttention(heads, 8, dropout=0.0).double()
    query, key, value = drawn(3, 4, 8), drawn(3, 5, 8, seed=1), drawn(3, 5, 8, seed=2)
    mask = None if mask_shape is None else drawn(*mask_shape, seed=3) > -0.5
    if mask is not None:
        mask[..., 0] = True  # torch's layer gives NaN where nothing is seen
    hidden = None if mask is None else (~mask).expand(3, 4, 5).repeat_interleave(heads, 0)
    expected, weights = theirs(ours, 8, heads)(query, key, value, attn_mask=hidden, average_attn_weights=False)
    torch.testing.assert_close(ours(query, key, value, mask), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.attn, weights, rtol=0, atol=1e-12)


def test_the_kept_weights_hold_no_graph_and_can_be_copied():
    import copy

    layer = MultiHeadedAttention(2, 8)
    tokens = torch.randn(2, 3, 8)
    layer(tokens, tokens, tokens)
    assert not layer.attn.requires_grad
    assert layer.attn.shape == (2, 2, 3, 3)
    assert set(copy.deepcopy(layer).state_dict()) == {f"linears.{i}.{k}" for i in range(4) for k in ("weight", "bias")}


def test_tokens_in_another_order_give_the_outputs_in_that_order():
    layer, tokens, order = MultiHeadedAttention(2, 8, 0.0).double(), drawn(1, 6, 8), torch.randperm(6)
    torch.testing.assert_close(layer(*[tokens[:, order]] * 3), layer(*[tokens] * 3)[:, order])


@pytest.mark.parametrize(("heads", "features"), [(3, 8), (0, 8), (16, 8)])
def test_heads_must_divide_the_features(heads, features):
    with pytest.raises(ValueError, match=f"heads must divide the features: got {heads} heads, {features} features"):
        MultiHeadedAttention(heads, features)
