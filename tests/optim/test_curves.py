"""The surface and the paths over it."""

import math

import numpy as np
import pytest
import torch

from gradlab.optim import SGDMomentum, pathological_curve_loss, train_curve


def test_the_surface_is_the_handbook_s_formula():
    for w1, w2 in [(0.0, 0.0), (5.0, 5.0), (-1.5, -13.0)]:
        expected = math.tanh(w1) ** 2 + 0.01 * abs(w1) + 1 / (1 + math.exp(-w2))
        found = pathological_curve_loss(torch.tensor(w1), torch.tensor(w2))
        assert found.item() == pytest.approx(expected, rel=1e-5)


def test_its_gradient_is_the_derived_one():
    w1, w2 = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.7, -1.3))
    assert torch.autograd.gradcheck(pathological_curve_loss, (w1, w2))
    pathological_curve_loss(w1, w2).backward()
    tanh, sigmoid = math.tanh(0.7), 1 / (1 + math.exp(1.3))
    assert w1.grad.item() == pytest.approx(2 * tanh * (1 - tanh**2) + 0.01)
    assert w2.grad.item() == pytest.approx(sigmoid * (1 - sigmoid))


def test_the_path_begins_at_the_start_and_holds_each_point_s_own_loss():
    path = train_curve(lambda params: torch.optim.SGD(params, lr=0.5), num_updates=7, init=[3, -2])
    assert path.shape == (7, 3)
    assert path.dtype == np.float32
    assert path[0, :2].tolist() == [3, -2]
    assert len({tuple(point) for point in path.tolist()}) == 7  # an alias of the weights would repeat the last one
    losses = pathological_curve_loss(*torch.from_numpy(path[:, :2]).T)
    np.testing.assert_allclose(path[:, 2], losses.numpy(), rtol=1e-6)


def test_plain_descent_on_a_parabola_is_known_in_closed_form():
    path = train_curve(lambda params: torch.optim.SGD(params, lr=0.1), lambda x, y: x**2 + 0 * y, 10, [1.0, 4.0])
    np.testing.assert_allclose(path[:, 0], 0.8 ** np.arange(10), rtol=1e-5)
    assert (path[:, 1] == 4).all()


def test_sgd_momentum_from_the_handbook_s_start():
    """Worked out with torch.optim.SGD(lr=1, momentum=0.9), torch 2.13, and rounded to what is shown."""
    path = train_curve(lambda params: SGDMomentum(params, lr=10, momentum=0.9), num_updates=101)
    assert path[99] == pytest.approx([0.0406, -13.0712, 0.0021], abs=6e-5)
    assert path[100, :2] == pytest.approx([-0.0119, -13.0727], abs=6e-5)
    dampened = train_curve(lambda params: torch.optim.SGD(params, lr=10, momentum=0.9, dampening=0.1), num_updates=101)
    assert dampened[100, :2] == pytest.approx([56.377, -41.432], abs=6e-3)  # a wrong reading of 1 - momentum
    below = np.flatnonzero(path[:, 1] < -7.5)
    assert below[0] == 43  # updates made by then: the row holds the point before its own
