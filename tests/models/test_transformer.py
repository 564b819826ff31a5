"""The encoder against torch's own layers, its attention maps, and the reversing task."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradlab import rng
from gradlab.data import reversing_sequences
from gradlab.models import EncoderBlock, TransformerEncoder, TransformerPredictor
from gradlab.objectives import token_classification
from gradlab.training import Recipe, collect, fit, schedules


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def torch_s(block, features, heads, hidden):
    """torch's layer with our block's weights."""
    theirs = nn.TransformerEncoderLayer(features, heads, hidden, dropout=0.0, batch_first=True, dtype=torch.float64)
    linears = block.self_attn.linears
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([linear.weight for linear in linears[:3]]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([linear.bias for linear in linears[:3]]))
    pairs = [(theirs.self_attn.out_proj, linears[3]), (theirs.linear1, block.linear_net[0])]
    pairs += [(theirs.linear2, block.linear_net[3]), (theirs.norm1, block.norm1), (theirs.norm2, block.norm2)]
    for their, our in pairs:
        their.load_state_dict(our.state_dict())
    return theirs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("heads", [1, 2])
def test_a_block_equals_torch_s_layer_with_the_same_weights(heads, training):
    block = EncoderBlock(8, heads, 12).double().train(training)
    for norm in (block.norm1, block.norm2):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    theirs, tokens = torch_s(block, 8, heads, 12).train(training), drawn(3, 5, 8)
    torch.testing.assert_close(block(tokens), theirs(tokens), rtol=0, atol=1e-10)
    seen = torch.ones(5, 5).tril()
    torch.testing.assert_close(block(tokens, seen[None]), theirs(tokens, src_mask=seen == 0), rtol=0, atol=1e-10)


def test_the_encoder_is_its_blocks_one_after_the_other():
    encoder, tokens = TransformerEncoder(3, 8, 2, 12).double(), drawn(2, 5, 8)
    theirs = nn.Sequential(*(torch_s(block, 8, 2, 12) for block in encoder.layers))
    torch.testing.assert_close(encoder(tokens), theirs(tokens), rtol=0, atol=1e-10)


def test_maps_are_each_block_s_own_on_its_own_input():
    encoder, tokens = TransformerEncoder(2, 8, 2, 12).double(), drawn(3, 5, 8)
    first, second = encoder.get_attention_maps(tokens)
    _, expected = torch_s(encoder.layers[0], 8, 2, 12).self_attn(tokens, tokens, tokens, average_attn_weights=False)
    torch.testing.assert_close(first, expected, rtol=0, atol=1e-12)
    inner = encoder.layers[0](tokens)
    _, expected = torch_s(encoder.layers[1], 8, 2, 12).self_attn(inner, inner, inner, average_attn_weights=False)
    torch.testing.assert_close(second, expected, rtol=0, atol=1e-12)


def test_parameters_by_hand():
    """Block: 4 projections, two linear layers, two norms. In: 10 to 32. Out: linear, norm, linear."""
    d, block = 32, 4 * (32 * 32 + 32) + (32 * 64 + 64) + (64 * 32 + 32) + 2 * 2 * 32
    expected = (10 * d + d) + block + (d * d + d) + 2 * d + (d * 10 + 10)
    assert sum(parameter.numel() for parameter in TransformerPredictor(10, 10).parameters()) == expected == 10_346


def test_tokens_are_one_hot_vectors_in_both_precisions():
    model, tokens = TransformerPredictor(10, 10), torch.randint(10, (3, 6))
    torch.testing.assert_close(model(tokens), model(F.one_hot(tokens, 10).float()))
    assert model(tokens).shape == (3, 6, 10)
    assert model.double()(tokens).dtype == torch.float64


def test_without_positions_it_could_not_reverse():
    """Swapped tokens give swapped logits without positions, and others with them."""
    model, tokens = TransformerPredictor(10, 10).double().eval(), torch.randint(10, (1, 6))
    order = torch.tensor([1, 0, 2, 3, 4, 5])
    assert not torch.allclose(model(tokens[:, order]), model(tokens)[:, order], atol=1e-3)
    model.positional_encoding = nn.Identity()
    model.positional_encoding.table = torch.zeros(1, dtype=torch.float64)
    torch.testing.assert_close(model(tokens[:, order]), model(tokens)[:, order])


def test_a_mask_hides_tokens():
    model, tokens = TransformerPredictor(10, 10, num_layers=2).eval(), torch.randint(10, (1, 6))
    changed = tokens.clone()
    changed[0, 5] = (tokens[0, 5] + 1) % 10
    causal = torch.ones(1, 6, 6).tril()
    torch.testing.assert_close(model(tokens, causal)[:, :5], model(changed, causal)[:, :5], rtol=0, atol=0)
    assert not torch.equal(model(tokens)[:, :5], model(changed)[:, :5])


def test_learns_to_reverse_and_its_map_is_the_other_diagonal():
    """Tutorial 6 reaches 100 % with these sizes; shorter sequences of fewer symbols here, to take seconds."""
    examples = reversing_sequences(800, length=6, symbols=6, generator=rng.generator(0, "sequences"))
    recipe = Recipe(epochs=8, batch_size=32, optimizer=lambda p: torch.optim.Adam(p, lr=4e-3), clip_norm=5.0,
                    schedule=schedules.one_cycle(steps=8 * 25))  # fmt: skip
    _, trained = collect(
        fit(lambda: TransformerPredictor(6, 6), examples, token_classification, recipe, seeds=(0, 1),
            together="stacked")
    )  # fmt: skip
    sequences, backwards = reversing_sequences(300, length=6, symbols=6, generator=rng.generator(1, "sequences"))
    for model in trained.models.values():
        with torch.no_grad():
            assert (model(sequences).argmax(-1) == backwards).double().mean() > 0.99
        (weights,) = model.get_attention_maps(sequences)
        assert weights.mean((0, 1)).argmax(-1).tolist() == [5, 4, 3, 2, 1, 0]
