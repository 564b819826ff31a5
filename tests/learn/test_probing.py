import pytest
import torch
from torch import nn

from gradlab.learn.probing import Descent, fill, shapes


def test_networks_of_the_same_shapes_get_the_same_values_whatever_their_order():
    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Linear(4, 2), nn.Linear(3, 4)

    one, other = One(), Other()
    fill(one)
    fill(other)
    assert torch.equal(one.a.weight, other.first.weight)
    assert torch.equal(one.b.bias, other.last.bias)
    assert one.a.weight.std() > 0.1, "not all equal"
    assert shapes(one) == shapes(other) == ["2", "2x4", "4", "4x3"]


def test_axes_of_length_1_need_not_count():
    one, other = nn.ParameterList([torch.zeros(1, 5, 4)]), nn.ParameterList([torch.zeros(5, 4)])
    for each in (one, other):
        fill(each, ones=False)
    assert torch.equal(one[0][0], other[0])
    fill(one)
    assert not torch.equal(one[0][0], other[0])


@pytest.mark.parametrize("more", [{}, {"set_to_none": True}, {"set_to_none": False}])
def test_descent_is_torch_s_plain_descent(more):
    ours, theirs = (nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    optimizer, oracle = Descent([ours], lr=0.1), torch.optim.SGD([theirs], lr=0.1)
    for _ in range(3):
        for parameter, each in ((ours, optimizer), (theirs, oracle)):
            each.zero_grad(**more)
            parameter.pow(4).sum().backward()
            each.step()
    for each in (optimizer, oracle):
        each.zero_grad(**more)
    assert (ours.grad is None) == (theirs.grad is None)
    assert torch.equal(ours, theirs)
