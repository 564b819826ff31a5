import numpy as np
import pytest
import torch

from gradlab.learn.compare import Difference, Tolerance
from gradlab.learn.generic import OTHER, input_changed, name_generic
from gradlab.learn.observe import plain

X = torch.tensor([[1.0, 2.0, 4.0], [8.0, 16.0, -3.0]])


def named(*pairs) -> str:
    found = [Difference("", plain(got), plain(expected)) for got, expected in pairs]
    return name_generic(found, Tolerance(1e-4, 1e-5))[0]


@pytest.mark.parametrize(
    ("got", "expected", "name"),
    [
        (None, X, "nothing is returned"),
        (-X, X, "the sign is flipped"),
        (X / 6, X, "the scale is wrong"),
        (X.T, X, "the axes are in another order"),
        (X.reshape(-1), X, "the right numbers in another shape"),
        (X[:, None], X, "the right numbers in another shape"),
        (X[0], X, "the shape is wrong"),
        (X.long(), X, "whole numbers instead of floating-point numbers"),
        (X > 0, X, "truth values instead of floating-point numbers"),
        (X / 0, X, "nan or inf comes out"),
        (X.tolist(), X, "a list is returned instead of a tensor"),
        (X.numpy(), X, "an array is returned instead of a tensor"),
        ([X], [X, X], "another value is returned"),
        (X + 1, X, OTHER[0]),
        (2.0, 3.0, OTHER[0]),
        (np.float64(2.0), 3.0, OTHER[0]),
    ],
)
def test_a_difference_has_a_name(got, expected, name):
    assert named((got, expected)) == name


def test_a_name_must_hold_for_every_wrong_case():
    assert named((-X, X), (-X, X)) == "the sign is flipped"
    assert named((-X, X), (X + 1, X)) == OTHER[0]


def test_a_changed_input_is_named():
    assert "weights" in input_changed(["weights"])[0]
