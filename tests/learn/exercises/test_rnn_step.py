import pytest
import torch

from gradlab.learn.exercises.rnn_step import lstm_step, rnn
from tests.learn.mutants import Mutants

WRONG = Mutants("rnn_step")


def loop(x, h, w_x, w_h, b, act=torch.tanh, times=None):
    out = []
    for t in range(x.shape[1]) if times is None else times:
        h = act(torch.nn.functional.linear(x[:, t], w_x, b) + torch.nn.functional.linear(h, w_h))
        out.append(h)
    return out


def fresh(x, h, w_x, w_h, b):
    out = torch.tanh(x @ w_x.T + (h @ w_h.T)[:, None] + b)
    return out, out[:, -1]


WRONG.add("the state is not carried from time to time", "all_at_once", rnn=fresh, lstm_step=lstm_step)


def linear(x, h, w_x, w_h, b):
    out = loop(x, h, w_x, w_h, b, act=lambda s: s)
    return torch.stack(out, 1), out[-1]


WRONG.add("the recurrent network has no tanh", "linear", rnn=linear, lstm_step=lstm_step)


def sigmoid(x, h, w_x, w_h, b):
    out = loop(x, h, w_x, w_h, b, act=lambda s: 1 / (1 + torch.exp(-s)))
    return torch.stack(out, 1), out[-1]


WRONG.add("sigmoid instead of tanh in the recurrent network", "sigmoid", rnn=sigmoid, lstm_step=lstm_step)


def untransposed(x, h, w_x, w_h, b):
    out = loop(x, h, w_x, w_h.T, b)
    return torch.stack(out, 1), out[-1]


WRONG.add("the recurrent weight is not transposed", "untransposed", rnn=untransposed, lstm_step=lstm_step)


def time_first(x, h, w_x, w_h, b):
    out = loop(x, h, w_x, w_h, b)
    return torch.stack(out), out[-1]


WRONG.add("time stands before the batch", "time_first", rnn=time_first, lstm_step=lstm_step)


def first_state(x, h, w_x, w_h, b):
    out = loop(x, h, w_x, w_h, b)
    return torch.stack(out, 1), out[0]


WRONG.add("the first state is returned as the last", "first_state", rnn=first_state, lstm_step=lstm_step)


def backwards(x, h, w_x, w_h, b):
    out = loop(x, h, w_x, w_h, b, times=range(x.shape[1] - 1, -1, -1))
    return torch.stack(out, 1), out[-1]


WRONG.add("the sequence runs backwards", "backwards", rnn=backwards, lstm_step=lstm_step)


def gates(x, h, w_x, w_h, b):
    n = h.shape[1]
    s = x @ w_x.T + h @ w_h.T + b
    return s[:, :n], s[:, n : 2 * n], s[:, 2 * n : 3 * n], s[:, 3 * n :]


def forget_first(x, h, c, w_x, w_h, b):
    f, i, g, o = gates(x, h, w_x, w_h, b)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


WRONG.add("input and forget gate are swapped", "forget_first", rnn=rnn, lstm_step=forget_first)


def output_third(x, h, c, w_x, w_h, b):
    i, f, o, g = gates(x, h, w_x, w_h, b)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


WRONG.add("candidate and output gate are swapped", "output_third", rnn=rnn, lstm_step=output_third)


def sigmoid_candidate(x, h, c, w_x, w_h, b):
    i, f, g, o = (torch.sigmoid(s) for s in gates(x, h, w_x, w_h, b))
    c = f * c + i * g
    return o * torch.tanh(c), c


WRONG.add("the candidate has a sigmoid", "sigmoid_candidate", rnn=rnn, lstm_step=sigmoid_candidate)


def bare_cell(x, h, c, w_x, w_h, b):
    i, f, g, o = gates(x, h, w_x, w_h, b)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * c, c


WRONG.add("the cell is not squashed for the state", "bare_cell", rnn=rnn, lstm_step=bare_cell)


def old_cell(x, h, c, w_x, w_h, b):
    i, f, g, o = gates(x, h, w_x, w_h, b)
    state = torch.sigmoid(o) * torch.tanh(c)
    return state, torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)


WRONG.add("the state is computed from the old cell", "old_cell", rnn=rnn, lstm_step=old_cell)


def swapped(x, h, c, w_x, w_h, b):
    h, c = lstm_step(x, h, c, w_x, w_h, b)
    return c, h


WRONG.add("state and cell are swapped", "swapped", rnn=rnn, lstm_step=swapped)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
