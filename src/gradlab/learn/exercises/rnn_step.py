"""Recurrent steps.

Write two functions. `rnn(x, h, w_x, w_h, b)` runs a simple recurrent network over a sequence x [batch, time, inputs]
from state h [batch, units]: h = tanh(x_t w_x^T + h w_h^T + b) at each time; it returns all states [batch, time, units]
and the last one. `lstm_step(x, h, c, w_x, w_h, b)` does one step of an LSTM for x [batch, inputs]: the four parts of
x w_x^T + h w_h^T + b [batch, 4 units] are, in this order, input gate i, forget gate f, candidate g and output gate o;
sigmoid for the gates, tanh for g; c = f c + i g; h = o tanh(c). It returns the new h and c.
"""

from typing import Any

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: recurrent neural networks, LSTM"
WITHOUT = ("RNN", "LSTM", "RNNCell", "LSTMCell", "rnn_tanh_cell", "lstm_cell")
HINTS = (
    "A loop over time: each state is computed from the one before, and all are kept.",
    "`(x @ w_x.T + h @ w_h.T + b).chunk(4, dim=1)` gives the four parts of the LSTM.",
    "`i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()`; `c = f * c + i * g.tanh()`; `h = o * c.tanh()`.",
)


def rnn(x: Tensor, h: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Returns all states [batch, time, units] and the last one [batch, units].

    Args:
        x: [batch, time, inputs].
        h: first state [batch, units].
        w_x: [units, inputs].
        w_h: [units, units].
        b: [units].
    """
    ### BEGIN SOLUTION
    states = []
    for part in x.unbind(1):
        h = torch.tanh(part @ w_x.T + h @ w_h.T + b)
        states.append(h)
    return torch.stack(states, dim=1), h
    ### END SOLUTION


def lstm_step(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the new h and c [batch, units].

    Args:
        x: [batch, inputs].
        h: state [batch, units].
        c: cell [batch, units].
        w_x: [4 units, inputs].
        w_h: [4 units, units].
        b: [4 units].
    """
    ### BEGIN SOLUTION
    i, f, g, o = (x @ w_x.T + h @ w_h.T + b).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c
    ### END SOLUTION


def _probe(run: Any, step: Any, x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> dict[str, Any]:
    units = h.shape[1]
    return {
        "rnn": run(x, h, w_x[:units], w_h[:units], b[:units]),
        "lstm_step": step(x[:, 0], h, c, w_x, w_h, b),
    }


def _case(draw: Draw) -> dict[str, Tensor]:
    batch, units = draw.size(2, 4), draw.size(2, 4)
    time = batch if draw.case == 2 else draw.size(3, 5)
    inputs = units if draw.case % 2 else units + 1
    return {
        "x": draw.normal(batch, time, inputs),
        "h": draw.normal(batch, units),
        "c": draw.normal(batch, units),
        "w_x": draw.normal(4 * units, inputs) * 0.7,
        "w_h": draw.normal(4 * units, units) * 0.7,
        "b": draw.normal(4 * units),
    }


def _run(x: Tensor, h: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor, **switch: Any) -> tuple[Tensor, Tensor]:
    """The recurrent network with the switches keep (the state is carried on), act, steps and transposed."""
    states, first = [], h
    for part in x.unbind(1)[:: switch.get("pace", 1)]:
        h = switch.get("act", torch.tanh)(
            part @ w_x.T + (h if switch.get("keep", True) else first) @ (w_h if switch.get("transposed") else w_h.T) + b
        )
        states.append(h)
    return torch.stack(states, 1), h


def _step(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor, **switch: Any) -> tuple[Tensor, Tensor]:
    """The LSTM with the switches order, act (of the candidate), squash (of the cell), old."""
    parts = (x @ w_x.T + h @ w_h.T + b).chunk(4, 1)
    i, f, g, o = (parts[place] for place in switch.get("order", (0, 1, 2, 3)))
    new = f.sigmoid() * c + i.sigmoid() * switch.get("act", torch.tanh)(g)
    seen = c if switch.get("old") else new
    return o.sigmoid() * switch.get("squash", torch.tanh)(seen), new


def _same(values: Tensor) -> Tensor:
    return values


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the state is not carried from time to time",
            "Each step starts from the state before.",
            {"rnn": lambda *g: _run(*g, keep=False)},
        ),
        Fault("the recurrent network has no tanh", "h = tanh(...).", {"rnn": lambda *g: _run(*g, act=_same)}),
        Fault(
            "sigmoid instead of tanh in the recurrent network",
            "h = tanh(...).",
            {"rnn": lambda *g: _run(*g, act=torch.sigmoid)},
        ),
        Fault("the recurrent weight is not transposed", "h w_h^T.", {"rnn": lambda *g: _run(*g, transposed=True)}),
        Fault(
            "time stands before the batch",
            "[batch, time, units]: stack along axis 1.",
            {"rnn": lambda *g: (_run(*g)[0].transpose(0, 1), _run(*g)[1])},
        ),
        Fault(
            "the first state is returned as the last",
            "The last state is that of the last time.",
            {"rnn": lambda *g: (_run(*g)[0], _run(*g)[0][:, 0])},
        ),
        Fault(
            "the sequence runs backwards",
            "From the first time to the last.",
            {"rnn": lambda x, *g: _run(x.flip(1), *g)},
        ),
        Fault(
            "input and forget gate are swapped",
            "The order is i, f, g, o.",
            {"lstm_step": lambda *g: _step(*g, order=(1, 0, 2, 3))},
        ),
        Fault(
            "candidate and output gate are swapped",
            "The order is i, f, g, o.",
            {"lstm_step": lambda *g: _step(*g, order=(0, 1, 3, 2))},
        ),
        Fault("the candidate has a sigmoid", "tanh for g.", {"lstm_step": lambda *g: _step(*g, act=torch.sigmoid)}),
        Fault(
            "the cell is not squashed for the state",
            "h = o tanh(c).",
            {"lstm_step": lambda *g: _step(*g, squash=_same)},
        ),
        Fault(
            "the state is computed from the old cell",
            "First the new c, then h from it.",
            {"lstm_step": lambda *g: _step(*g, old=True)},
        ),
        Fault("state and cell are swapped", "First h, then c.", {"lstm_step": lambda *g: _step(*g)[::-1]}),
    ),
)
