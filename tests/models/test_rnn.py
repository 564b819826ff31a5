"""The recurrent network against its recurrence, written out."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradlab.models import RNNModel


def unrolled(model, sequences):
    """h_t = tanh(W x_t + b + U h_(t-1) + c), layer by layer, step by step."""
    layer_input = sequences
    for layer in range(model.rnn.num_layers):
        w, u, b, c = (
            getattr(model.rnn, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        h, states = torch.zeros(len(sequences), model.rnn.hidden_size, dtype=sequences.dtype), []
        for x in layer_input.unbind(1):
            h = torch.tanh(x @ w.T + b + h @ u.T + c)
            states.append(h)
        layer_input = torch.stack(states, 1)
    return layer_input[:, -1] @ model.fc.weight.T + model.fc.bias


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("start", ["torch", "orthogonal", "variance"])
def test_equals_the_recurrence_and_its_gradient(layers, start):
    model = RNNModel(3, 5, 2, layers, start=start).double()
    sequences = torch.randn(4, 7, 3, dtype=torch.float64)
    torch.testing.assert_close(model(sequences), unrolled(model, sequences), rtol=0, atol=1e-12)
    ours = torch.autograd.grad(model(sequences).square().sum(), list(model.parameters()))
    by_hand = torch.autograd.grad(unrolled(model, sequences).square().sum(), list(model.parameters()))
    for first, second in zip(ours, by_hand, strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=1e-10)


def test_parameters_by_hand():
    """Each layer: inputs x units + units^2 + 2 units; then units x outputs + outputs."""
    expected = (3 * 5 + 5 * 5 + 10) + (5 * 5 + 5 * 5 + 10) + (5 * 2 + 2)
    assert sum(parameter.numel() for parameter in RNNModel(3, 5, 2, num_layers=2).parameters()) == expected


def test_every_step_reaches_the_output():
    sequences = torch.randn(1, 6, 3, requires_grad=True)
    RNNModel(3, 5, 2)(sequences).sum().backward()
    assert (sequences.grad.abs().sum((0, 2)) > 0).all()


def test_tokens_are_one_hot_vectors():
    model, tokens = RNNModel(4, 5, 2), torch.randint(4, (3, 6))
    torch.testing.assert_close(model(tokens), model(F.one_hot(tokens, 4).float()))


def test_starts():
    orthogonal = RNNModel(30, 50, 2, 2, start="orthogonal")
    for name in ("weight_hh_l0", "weight_hh_l1", "weight_ih_l1"):
        torch.testing.assert_close(torch.linalg.svdvals(getattr(orthogonal.rnn, name)), torch.ones(50))
    variance = RNNModel(100, 150, 2, start="variance").rnn
    for weight, inputs in [(variance.weight_ih_l0, 100), (variance.weight_hh_l0, 150)]:
        assert abs(weight.var().item() * inputs - 1) < 5 * math.sqrt(2 / weight.numel())
    assert (variance.bias_ih_l0 == 0).all()
    assert (variance.bias_hh_l0 == 0).all()


def test_torch_s_start_is_left_alone():
    torch.manual_seed(0)
    model = RNNModel(3, 5, 2)
    torch.manual_seed(0)
    assert torch.equal(model.rnn.weight_hh_l0, nn.RNN(3, 5).weight_hh_l0)


def gated(rnn, sequences):
    """The last state of one LSTM or GRU layer, from their papers' equations in torch's order of gates."""
    h = c = torch.zeros(len(sequences), rnn.hidden_size, dtype=sequences.dtype)
    for x in sequences.unbind(1):
        given = (x @ rnn.weight_ih_l0.T + rnn.bias_ih_l0).chunk(4 if rnn.mode == "LSTM" else 3, dim=1)
        kept = (h @ rnn.weight_hh_l0.T + rnn.bias_hh_l0).chunk(len(given), dim=1)
        if rnn.mode == "LSTM":
            enter, forget, candidate, leave = (a + b for a, b in zip(given, kept, strict=True))
            c = forget.sigmoid() * c + enter.sigmoid() * candidate.tanh()
            h = leave.sigmoid() * c.tanh()
        else:
            reset, update = ((a + b).sigmoid() for a, b in zip(given[:2], kept[:2], strict=True))
            h = (1 - update) * (given[2] + reset * kept[2]).tanh() + update * h
    return h


@pytest.mark.parametrize(("cell", "maps"), [("LSTM", 4), ("GRU", 3)])
@pytest.mark.parametrize("start", ["torch", "orthogonal"])
def test_layers_with_gates_equal_their_equations(cell, maps, start):
    model = RNNModel(3, 5, 2, cell=cell, start=start).double()
    sequences = torch.randn(4, 7, 3, dtype=torch.float64)
    expected = gated(model.rnn, sequences) @ model.fc.weight.T + model.fc.bias
    torch.testing.assert_close(model(sequences), expected, rtol=0, atol=1e-12)
    assert sum(parameter.numel() for parameter in model.parameters()) == maps * (3 * 5 + 5 * 5 + 10) + (5 * 2 + 2)


def test_an_unknown_start_or_cell_is_refused():
    with pytest.raises(ValueError, match="start must be 'torch', 'orthogonal' or 'variance': got 'zero'"):
        RNNModel(3, 5, 2, start="zero")
    with pytest.raises(ValueError, match="cell must be 'RNN', 'LSTM' or 'GRU': got 'gru'"):
        RNNModel(3, 5, 2, cell="gru")
