"""The next-symbol network against the cell's equations, written out."""

import pytest
import torch
from torch.nn import functional as F

from gradlab import rng
from gradlab.data import COUNTING_SYMBOLS, counting_sequences
from gradlab.models import MyRecurrentNet
from gradlab.objectives import token_classification
from gradlab.training import Recipe, collect, fit


def unrolled(model, vectors):
    """Input, forget and output gate and candidate of each step; the cell forgets, adds, and shows its tanh."""
    lstm, batch = model.lstm, len(vectors)
    h = c = torch.zeros(batch, lstm.hidden_size, dtype=vectors.dtype)
    logits = []
    for x in vectors.unbind(1):
        gates = x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + h @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
        i, f, g, o = gates.chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        logits.append(h @ model.l_out.weight.T)
    return torch.stack(logits, 1).reshape(-1, lstm.input_size)


@pytest.mark.parametrize("hidden", [1, 7])
def test_equals_the_cell_s_equations_and_their_gradient(hidden):
    model = MyRecurrentNet(4, hidden).double()
    vectors = torch.randn(3, 6, 4, dtype=torch.float64)
    torch.testing.assert_close(model(vectors), unrolled(model, vectors), rtol=0, atol=1e-12)
    ours = torch.autograd.grad(model(vectors).square().sum(), list(model.parameters()))
    by_hand = torch.autograd.grad(unrolled(model, vectors).square().sum(), list(model.parameters()))
    for first, second in zip(ours, by_hand, strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=1e-10)


def test_sizes_are_the_cheat_sheet_s():
    model = MyRecurrentNet(4)
    assert model.lstm.hidden_size == 50
    assert model.l_out.bias is None
    assert sum(p.numel() for p in model.parameters()) == 4 * 50 * (4 + 50 + 2) + 50 * 4
    assert model(torch.randint(4, (3, 6))).shape == (18, 4)


def test_rows_follow_the_steps_of_each_sequence():
    model, tokens = MyRecurrentNet(4), torch.randint(4, (3, 6))
    together = model(tokens).view(3, 6, 4)
    for index in range(3):
        torch.testing.assert_close(together[index], model(tokens[index : index + 1]))


def test_the_cheat_sheet_s_view_fails_where_the_reshape_does_not():
    model = MyRecurrentNet(4)
    states, _ = model.lstm(F.one_hot(torch.randint(4, (3, 6)), 4).float())
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        states.view(-1, model.lstm.hidden_size)


def test_a_logit_sees_no_later_symbol():
    model = MyRecurrentNet(4)
    tokens = torch.randint(4, (1, 6))
    changed = tokens.clone()
    changed[0, 4] = (tokens[0, 4] + 1) % 4
    before, after = model(tokens), model(changed)
    assert torch.equal(before[:4], after[:4])
    assert not torch.equal(before[4:], after[4:])


def test_learns_to_count():
    """From the first b on, the word is certain: a network that counts is right there, without exception."""
    sequences, targets = counting_sequences(300, largest=6, generator=rng.generator(0, "words"))
    recipe = Recipe(epochs=25, batch_size=30, optimizer=lambda p: torch.optim.Adam(p, lr=0.01))
    symbols = len(COUNTING_SYMBOLS)
    _, trained = collect(
        fit(lambda: MyRecurrentNet(symbols, 20), (sequences, targets), token_classification, recipe, seeds=(0,))
    )
    words, following = counting_sequences(6 * 20, largest=6, generator=rng.generator(1, "words"))
    with torch.no_grad():
        said = trained.models[0](words).argmax(-1).view_as(words)
    certain = (words == 1) & (following >= 0)
    assert (said == following)[certain].all()
