"""Muon against singular values by LAPACK, torch's SGD, one replica at a time, and named mistakes."""

import math

import pytest
import torch
from torch import Tensor, nn

from gradlab.optim import Muon, orthogonalised
from gradlab.optim.muon import COEFFICIENTS

ROOM = dict(rtol=1e-10, atol=1e-10)
SHAPE = (5, 3, 2, 2)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_singular_values(matrix: Tensor, iterations: int) -> Tensor:
    """U p(p(...p(S / |S|))) V^T: an odd polynomial of a matrix is one of its singular values."""
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    a, b, c = COEFFICIENTS
    values = values / values.square().sum().sqrt()
    for _ in range(iterations):
        values = a * values + b * values**3 + c * values**5
    return left @ values.diag() @ right


@pytest.mark.parametrize(("rows", "columns"), [(4, 7), (7, 4), (5, 5), (1, 6)])
@pytest.mark.parametrize("iterations", [1, 3, 5])
def test_orthogonalised_changes_singular_values_alone(rows, columns, iterations):
    matrix = drawn(rows, columns)
    torch.testing.assert_close(orthogonalised(matrix, iterations), by_singular_values(matrix, iterations), rtol=0,
                               atol=1e-6)  # fmt: skip
    values = torch.linalg.svdvals(orthogonalised(1e4 * matrix, 5))
    assert 0.65 < values.min() <= values.max() < 1.25


def test_of_a_row_of_matrices_each_is_its_own():
    matrices = drawn(3, 4, 6)
    torch.testing.assert_close(orthogonalised(matrices), torch.stack([orthogonalised(one) for one in matrices]), **ROOM)


def walk(parameter: nn.Parameter, optimizer: torch.optim.Optimizer, steps: int = 4) -> Tensor:
    for step in range(steps):
        parameter.grad = drawn(*parameter.shape, seed=step + 1)
        optimizer.step()
    return parameter.detach()


def test_what_is_no_filter_steps_as_torch_s_nesterov():
    ours, theirs = (nn.Parameter(drawn(4, 3)) for _ in range(2))
    found = walk(ours, Muon([{"params": [ours], "filters": False, "weight_decay": 0.1}], lr=0.3, momentum=0.8))
    expected = walk(theirs, torch.optim.SGD([theirs], lr=0.3, momentum=0.8, nesterov=True, weight_decay=0.1))
    torch.testing.assert_close(found, expected, **ROOM)


def by_hand(weights: Tensor, lr: float, momentum: float, steps: int, *, norm: float, nesterov: bool) -> Tensor:
    average = torch.zeros_like(weights)
    for step in range(steps):
        gradient = drawn(*SHAPE, seed=step + 1)
        average = momentum * average + gradient
        along = gradient + momentum * average if nesterov else average
        weights = norm * weights / weights.norm()
        weights = weights - lr * by_singular_values(along.reshape(SHAPE[0], -1), 3).view(SHAPE)
    return weights


def test_filters_step_along_orthogonal_matrices():
    filters = nn.Parameter(drawn(*SHAPE))
    start = filters.detach().clone()
    found = walk(filters, Muon([filters], lr=0.2, momentum=0.7))
    norm = math.sqrt(SHAPE[0])
    torch.testing.assert_close(found, by_hand(start, 0.2, 0.7, 4, norm=norm, nesterov=True), rtol=0, atol=1e-6)
    for wrong in (dict(norm=norm, nesterov=False), dict(norm=1.0, nesterov=True)):
        assert (found - by_hand(start, 0.2, 0.7, 4, **wrong)).abs().max() > 0.05


def test_a_stack_steps_as_its_replicas_do():
    stack = nn.Parameter(drawn(3, *SHAPE))
    alone = [nn.Parameter(one.clone()) for one in stack.detach()]
    together, each = Muon([stack], lr=0.2), [Muon([one], lr=0.2) for one in alone]
    for step in range(3):
        stack.grad = drawn(3, *SHAPE, seed=step)
        together.step()
        for one, optimizer, gradient in zip(alone, each, stack.grad, strict=True):
            one.grad = gradient
            optimizer.step()
    torch.testing.assert_close(stack.detach(), torch.stack([one.detach() for one in alone]), **ROOM)


def test_a_group_that_freezes_slows_down_and_stands_still():
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = Muon([{"params": [weight], "filters": False, "freeze_after": 4}], lr=1.0, momentum=0.0)
    path = []
    for _ in range(6):
        weight.grad = torch.ones(1, dtype=torch.float64)
        optimizer.step()
        path.append(weight.item())
    assert path == pytest.approx([-1, -1.75, -2.25, -2.5, -2.5, -2.5])


@pytest.mark.parametrize("wrong", [{"momentum": 1.0}, {"weight_decay": -1.0}, {"iterations": 0}, {"freeze_after": -1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="momentum must lie in"):
        Muon([nn.Parameter(drawn(*SHAPE))], lr=0.1, **wrong)


def test_only_filters_are_orthogonalised():
    with pytest.raises(ValueError, match=r"filters must be \[outputs, inputs, height, width\]: got \[3\]"):
        Muon([nn.Parameter(drawn(3))], lr=0.1)
