import pytest
import torch

from gradlab.learn.observe import plain
from gradlab.learn.show import shape_of, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor([1.0, 2.5]), "[1. , 2.5]  tensor [2]"),
        (torch.tensor(0.25), "0.25"),
        (torch.tensor(3), "3"),
        (0.1234567, "0.123457"),
        (None, "None"),
        ("a", "'a'"),
        ([1, 2.0], "[1, 2.0]"),
        ({"loss": 1.0}, "loss: 1"),
        (print, "a builtin_function_or_method"),
    ],
)
def test_small_values_are_shown_whole(value, text):
    assert shown(plain(value)) == text


def test_a_matrix_has_its_shape_and_no_empty_lines():
    text = shown(plain(torch.zeros(2, 2, 2)))
    assert text.startswith("tensor [2, 2, 2]\n")
    assert "\n\n" not in text


def test_of_a_large_tensor_the_first_numbers_are_shown():
    text = shown(plain(torch.arange(100.0)))
    assert text == "tensor [100], first numbers [0., 1., 2., 3., 4., 5., 6., 7.]"
    assert len(shown(plain([torch.zeros(500, 500)] * 2))) < 300
    assert shape_of(plain(torch.zeros(3, 4))) == "tensor [3, 4]"
