"""Formulas brought to the shape and type of the input they are for."""

import torch

from gradlab.explain.derivatives import derivative_of
from gradlab.explain.derivatives.stated import input_shapes, stated_gradients


def test_gradients_are_summed_over_copies():
    bias = torch.tensor([1.0, 2.0], requires_grad=True)
    step = (torch.ones(3, 2) + bias).grad_fn
    constant, summed = stated_gradients(derivative_of(step), step, (torch.tensor([[1.0, 2], [3, 4], [5, 6]]),))
    assert constant is None
    assert summed.tolist() == [9, 12]


def test_gradients_have_the_type_of_their_input():
    x = torch.ones(2, requires_grad=True)
    step = x.double().grad_fn
    (gradient,) = stated_gradients(derivative_of(step), step, (torch.ones(2).double(),))
    assert gradient.dtype == torch.float32


def test_shapes_of_inputs_are_none_where_no_gradient_is_wanted():
    x = torch.ones(2, 3, requires_grad=True)
    assert input_shapes((x * torch.ones(3)).grad_fn) == [torch.Size([2, 3]), None]
