"""Sinusoidal positions against the paper's formula and its property."""

import math

import pytest
import torch

from gradlab.nn import PositionalEncoding, sinusoidal_positions


def test_every_number_is_the_paper_s():
    table = sinusoidal_positions(40, 6)
    for position in range(40):
        for i in range(3):
            angle = position / 10_000 ** (2 * i / 6)
            assert table[position, 2 * i] == pytest.approx(math.sin(angle), abs=1e-7)
            assert table[position, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-7)


def test_a_shift_is_one_rotation_of_each_pair_wherever_it_starts():
    pairs = sinusoidal_positions(100, 8).double().view(100, 4, 2)
    angles = [3 / 10_000 ** (2 * i / 8) for i in range(4)]
    turn = torch.tensor(
        [[[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]] for a in angles], dtype=torch.float64
    )
    torch.testing.assert_close(pairs[3:], torch.einsum("pij,tpj->tpi", turn, pairs[:-3]), rtol=0, atol=1e-6)


def test_far_positions_are_as_exact_as_near_ones():
    """Angles in single precision would be off by 1e-4 at position 5,000."""
    assert sinusoidal_positions(5001, 2)[5000, 0] == pytest.approx(math.sin(5000), abs=1e-7)


def test_positions_are_all_different():
    assert torch.pdist(sinusoidal_positions(200, 32)).min() > 0.1


def test_the_layer_adds_them_and_keeps_them_out_of_the_weights():
    layer, tokens = PositionalEncoding(6, max_len=10), torch.randn(2, 7, 6)
    assert torch.equal(layer(tokens), tokens + sinusoidal_positions(7, 6))
    assert not layer.state_dict()
    assert layer.double()(tokens.double()).dtype == torch.float64


def test_too_long_sequences_and_odd_widths_are_refused():
    with pytest.raises(ValueError, match="at most 10 tokens: got 11"):
        PositionalEncoding(6, max_len=10)(torch.zeros(1, 11, 6))
    with pytest.raises(ValueError, match="even number of features: got 5"):
        sinusoidal_positions(3, 5)
