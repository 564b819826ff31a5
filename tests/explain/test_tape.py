"""What a tape sees: calls, lines, cuts; and that it changes nothing."""

import gc
import weakref

import pytest
import torch
from torch.nn import functional

from gradlab.explain import explain
from gradlab.explain.graph import walk
from gradlab.explain.names import Names
from gradlab.explain.tape import KEPT, Tape, call_of


def written(output, **names):
    return Names(walk(output), {**names, "out": output}).written(call_of(output.grad_fn))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x + 2, "x + 2"),
        (lambda x: 2 + x, "x + 2"),
        (lambda x: 2 - x, "2 - x"),
        (lambda x: 2 / x, "2 / x"),
        (lambda x: x @ x, "x @ x"),
        (lambda x: 2**x, "2 ** x"),
        (lambda x: x[0], "x[0]"),
        (lambda x: x.T, "x.T"),
        (lambda x: x.sum(), "sum(x)"),
        (lambda x: x.sum(dim=1), "sum(x, dim=1)"),
        (functional.relu, "relu(x)"),
        (lambda x: functional.gelu(x, approximate="tanh"), "gelu(x, approximate='tanh')"),
        (lambda x: torch.cat([x, x]), "cat([…])"),
        (lambda x: x * torch.ones(2, 2), "x * a tensor [2, 2]"),
        (lambda x: x * torch.tensor(0.5), "x * 0.5"),
        (lambda x: functional.mse_loss(x, x * 2), "mse_loss(x, #2)"),
    ],
)
def test_calls_are_told_as_code(function, expected):
    x = torch.rand(2, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    with Tape():
        output = function(x)
    assert written(output, x=x) == expected


def test_results_are_the_same_under_a_tape():
    def work():
        x = torch.linspace(0, 1, 6).reshape(2, 3).requires_grad_()
        y = functional.cross_entropy(functional.layer_norm(x, (3,)) @ x.T, torch.tensor([0, 1]))
        y.backward()
        return y, x.grad

    plain = work()
    with Tape():
        watched = work()
    assert torch.equal(plain[0], watched[0])
    assert torch.equal(plain[1], watched[1])


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (lambda x: (2 * x).detach(), "detach() in line"),
        (lambda x: x.data, ".data in line"),
        (lambda x: x.detach() * 3 + 1, "detach() in line"),
        (lambda x: x.argmax(), "argmax() in line"),
        (lambda _x: torch.ones(2), ""),
        (lambda x: x * 2, ""),
    ],
)
def test_cuts_are_known(cut, told):
    x = torch.ones(2, requires_grad=True)
    with Tape() as tape:
        result = cut(x)
    assert tape.cut(result).startswith(told)
    assert bool(tape.cut(result)) == bool(told)


def test_no_grad_is_a_cut():
    x = torch.ones(2, requires_grad=True)
    with Tape() as tape, torch.no_grad():
        result = x * 2
    assert tape.cut(result).startswith("no_grad() in line")


def test_graphs_survive_backward_under_a_tape():
    x = torch.ones(2, requires_grad=True)
    with Tape():
        y = x.exp().sum()
        y.backward()
        torch.autograd.grad(y, x)
        torch.autograd.backward(y)
    y.backward()
    assert x.grad.tolist() == pytest.approx([3 * torch.e] * 2)


def test_lines_are_those_of_the_file():
    x = torch.ones(2, requires_grad=True)
    with Tape(__file__):
        y = torch.nn.Linear(2, 2)(x)
    line = call_of(y.grad_fn).line
    from pathlib import Path

    assert "torch.nn.Linear(2, 2)(x)" in Path(__file__).read_text().splitlines()[line - 1]
    with Tape("elsewhere.py"):
        y = x * 2
    assert call_of(y.grad_fn).line is None


def test_values_outlive_being_overwritten_and_large_ones_are_not_copied():
    x = torch.ones(2, requires_grad=True)
    with Tape():
        y = x + 1
        node = y.grad_fn
        y.mul_(5)
        large = torch.ones(KEPT + 1, requires_grad=True) * 2
    assert call_of(node).values[0].tolist() == [2, 2]
    assert call_of(large.grad_fn).values == {}


def test_each_result_of_a_call_keeps_its_own_value():
    torch.manual_seed(0)
    with Tape(file=""):
        output, (last, memory) = torch.nn.LSTM(3, 4, batch_first=True)(torch.rand(2, 5, 3))
    for result in (output, last, memory):
        kept = call_of(result.grad_fn).values[result.output_nr]
        assert torch.equal(kept, result), "the value of another result"
    with Tape(file=""):
        parts = torch.rand(3, 2, requires_grad=True).unbind()
    assert all(torch.equal(call_of(part.grad_fn).values[place], part) for place, part in enumerate(parts))


def test_nothing_is_kept_alive():
    """A training loop under a tape must not hold the graphs of all its steps."""
    x = torch.ones(2, requires_grad=True)
    with Tape() as tape:
        y = x * torch.ones(2)
        held = weakref.ref(call_of(y.grad_fn))
        cut = y.detach()
        reference = weakref.ref(cut)
        del y, cut
        gc.collect()
    assert held() is None
    assert reference() is None
    assert tape.cut(x) == ""


def test_a_loss_is_explained_after_the_step_that_it_was_for():
    """The weights are overwritten by then; the tape kept them as the loss saw them."""
    weight = torch.tensor([2.0], requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    with Tape() as tape:
        loss = (weight * weight * 3).sum()
        loss.backward()
        optimizer.step()
    told = explain(loss, names={"weight": weight}, tape=tape)
    assert told.fault == ""
    assert told.leaves[0].gradient.numbers == "[12]"
    assert weight.tolist() == [-10]


def test_what_is_really_overwritten_still_fails_in_the_code_and_after_it():
    x = torch.ones(2, requires_grad=True)
    with Tape() as tape:
        y = x.exp()
        z = (y * y).sum()
        y.zero_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            z.backward()
        loss = (x * x).sum()
        with torch.no_grad():
            x.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()
    assert "modified by an inplace operation" in explain(z, tape=tape).fault
    assert explain(loss, tape=tape).leaves[0].gradient.numbers == "[2, 2]"
