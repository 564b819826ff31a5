import numpy as np
import pytest
import torch

from gradlab.learn.compare import Tolerance, differences, same
from gradlab.learn.observe import plain

CLOSE = Tolerance(1e-4, 1e-5)


def differ(got, expected):
    return [found.where for found in differences(plain(got), plain(expected), CLOSE)]


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (torch.ones(2), torch.ones(2) + 1e-6),
        (torch.ones(2, dtype=torch.float64), torch.ones(2)),
        (1, 1.0),
        (torch.tensor(0.5), 0.5),
        (0.5, torch.tensor(0.5)),
        ((1, 2), [1, 2]),
        (torch.tensor([float("inf")]), torch.tensor([float("inf")])),
        ({"a": None}, {"a": None}),
    ],
)
def test_equal_values(got, expected):
    assert differ(got, expected) == []


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (torch.ones(2), torch.ones(2, 1)),
        (torch.ones(1), 1.0),
        (torch.ones(2), torch.ones(2) * 1.001),
        (torch.ones(2).long(), torch.ones(2)),
        (torch.ones(2).bool(), torch.ones(2)),
        (np.ones(2, dtype=np.float32), torch.ones(2)),
        (True, 1),
        (None, 0.0),
        ("a", "b"),
        ([1], [1, 1]),
        ({"a": 1}, {"b": 1}),
        (torch.tensor([float("nan")]), torch.ones(1)),
        (print, None),
    ],
)
def test_different_values(got, expected):
    assert differ(got, expected) == [""]


def test_the_place_of_a_difference_is_told():
    assert differ({"loss": 1.0, "weights": [1, 2]}, {"loss": 1.0, "weights": [1, 3]}) == ["weights[1]"]


def test_outcomes_count_errors_and_changed_inputs():
    value = {"value": 1, "changed": []}
    assert same(value, dict(value), CLOSE)
    assert not same(value, {"value": 1, "changed": ["x"]}, CLOSE)
    assert not same(value, {"raised": "ValueError", "said": "", "line": 0}, CLOSE)
    assert same({"raised": "A", "said": "1", "line": 1}, {"raised": "A", "said": "2", "line": 2}, CLOSE)


def test_a_whole_number_beyond_64_bits_is_another_value_and_equal_to_itself():
    assert differ(10**30, 1.0) == [""]
    assert differ(10**30, torch.tensor(1.0)) == [""]
    assert differ(10**30, 10**30) == []
