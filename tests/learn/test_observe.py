import numpy as np
import pytest
import torch

from gradlab.learn.observe import alive, observe, plain
from gradlab.learn.wire import Numbers


def test_a_value_and_changed_inputs_are_told():
    def answer(x, y):
        x += 1
        return x * y

    given = plain({"x": torch.ones(2), "y": 3})
    outcome = observe(None, [answer], given)
    assert outcome["changed"] == ["x"]
    assert outcome["value"].values.tolist() == [6.0, 6.0]
    assert given["x"].values.tolist() == [1.0, 1.0], "each call has its own copies"


def test_a_part_of_an_input_that_has_become_of_another_kind_is_a_change():
    def answer(x, y):
        x[0] = {}
        y["a"] = 1

    assert observe(None, [answer], {"x": [1], "y": {"a": {}}})["changed"] == ["x", "y"]


def test_an_error_is_told_with_its_kind_and_text():
    outcome = observe(None, [lambda x: x["no"]], plain({"x": torch.ones(1)}))
    assert outcome["raised"] in ("IndexError", "TypeError")
    assert outcome["line"] == 0, "the line of a learner's file, and this is none"


@pytest.mark.parametrize("text", ["\ud800", "x" * 299 + "\ud800"])
def test_an_error_s_text_can_always_be_written(text):
    def answer():
        raise ValueError(text)

    outcome = observe(None, [answer], {})
    assert outcome["said"].encode()
    assert len(outcome["said"]) <= 300


def test_a_probe_gets_the_answers_and_the_inputs_by_name():
    outcome = observe(lambda f, g, a: f(a) + g(a), [lambda a: a, lambda a: 10 * a], {"a": 2})
    assert outcome == {"value": 22, "changed": []}


def test_random_numbers_are_the_same_each_time_and_the_caller_s_are_left_alone():
    torch.default_generator.manual_seed(1)
    expected = torch.rand(3)
    torch.default_generator.manual_seed(1)
    one, other = (observe(None, [lambda: torch.rand(2)], {}) for _ in range(2))
    assert one["value"].values.tolist() == other["value"].values.tolist()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(2, requires_grad=True),
        torch.ones(2, 3).T,
        torch.tensor(1 + 2j).conj(),
        np.arange(3),
        2,
        "a",
        None,
        [1, [2]],
    ],
)
def test_plain_values_come_alive_again(value):
    back = alive(plain(value))
    if isinstance(value, torch.Tensor):
        assert torch.equal(back, value.detach())
    elif isinstance(value, np.ndarray):
        assert np.array_equal(back, value)
    else:
        assert back == value


def test_other_things_are_told_by_their_kind():
    assert plain(torch.nn.Linear(1, 1)) == {"kind": "Linear"}
    assert plain(torch.ones(2).to_sparse())["kind"].startswith("tensor of layout")
    assert plain((1, 2)) == [1, 2]
    assert plain({1: np.float32(2.0)}) == {"1": 2.0}
    assert isinstance(plain(torch.ones(2, dtype=torch.bfloat16)), Numbers)
