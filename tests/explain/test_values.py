"""Tensors in words."""

import pytest
import torch

from gradlab.explain.values import number_text, shape_text, value_of


@pytest.mark.parametrize(
    ("tensor", "numbers"),
    [
        (torch.tensor(4.5), "4.5"),
        (torch.tensor([1.0, 2 / 3]), "[1, 0.6667]"),
        (torch.tensor([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
        (torch.tensor([True, False]), "[True, False]"),
        (torch.tensor([float("nan"), float("inf")]), "[nan, inf]"),
        (torch.empty(0), "[]"),
        (torch.arange(13.0), "13 numbers: mean 6, std 3.742, 0 to 12"),
        (torch.tensor([1.0, float("nan")] * 7), "14 numbers: mean 1, std 0, 1 to 1, 7 not finite"),
        (torch.full((13,), float("nan")), "13 numbers, none finite"),
        (torch.ones(20, dtype=torch.bool), "20 numbers: 100.0 % true"),
    ],
)
def test_numbers_where_few_and_statistics_where_many(tensor, numbers):
    assert value_of(tensor).numbers == numbers


def test_shapes_and_types():
    value = value_of(torch.ones(2, 3, dtype=torch.float64))
    assert (value.size, value.dtype) == ("[2, 3]", "float64")
    assert shape_text(()) == "one number"
    assert number_text(12345.678) == "1.235e+04"
