"""The small parts that all formulas use."""

import pytest
import torch

from gradlab.explain.derivatives import DERIVATIVES, derivative_of
from gradlab.explain.derivatives.derivative import Saved, signed, unary


@pytest.mark.parametrize(("number", "expected"), [(3, 3), (0, 0), (2**64 - 1, -1), (2**64 - 100, -100)])
def test_unsigned_numbers_get_their_sign_back(number, expected):
    assert signed(number) == expected


def test_slopes_become_products():
    assert unary("Neg", "−x", "−1", abs).at(0).vjp == "−g"
    assert unary("Exp", "exp(x)", "y", abs).at(0).vjp == "g · y"
    assert unary("Tanh", "tanh(x)", "1 − y²", abs).at(0).vjp == "g · (1 − y²)"


def test_what_torch_saved_is_read_by_its_name():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    saved = Saved(x.log().grad_fn, (torch.ones(2),))
    assert saved.self.tolist() == [1, 2]
    assert saved.g.tolist() == [1, 1]
    with pytest.raises(AttributeError):
        _ = saved.other


def test_a_first_output_without_gradient_counts_as_zeros():
    x = torch.eye(3, requires_grad=True)
    first, second = x.split(2, 1)
    saved = Saved(first.grad_fn, (None, torch.ones_like(second)))
    assert saved.g.tolist() == torch.zeros(3, 2).tolist()


def test_the_table_holds_more_than_sixty_operations_each_told_in_words():
    assert len({entry.node for entry in DERIVATIVES}) >= 60
    for entry in DERIVATIVES:
        assert entry.operation
        for part in entry.inputs:
            assert part.local
            assert part.vjp.strip()


def test_an_unknown_step_is_unknown():
    x = torch.ones(1, 1, 4, 4, requires_grad=True)
    assert derivative_of(torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear").grad_fn) is None
