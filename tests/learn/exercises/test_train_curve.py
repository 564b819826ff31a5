import pytest
import torch
from torch import nn

from tests.learn.mutants import Mutants

WRONG = Mutants("train_curve")


def loop(optimizer_func, curve_func, num_updates, init, keep):
    weights = nn.Parameter(torch.FloatTensor(init))
    optimizer = optimizer_func([weights])
    points = []
    for _ in range(num_updates):
        loss = curve_func(weights[0], weights[1])
        keep(points, weights, loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return points


@WRONG("the stored weights change with the optimiser")
def alias(optimizer_func, curve_func, num_updates, init):
    points = loop(optimizer_func, curve_func, num_updates, init, lambda p, w, loss: p.append((w.data, loss.item())))
    return torch.stack([torch.cat([w, torch.tensor([value])]) for w, value in points])


@WRONG("the gradients are not cleared")
def accumulates(optimizer_func, curve_func, num_updates, init):
    weights = nn.Parameter(torch.FloatTensor(init))
    optimizer = optimizer_func([weights])
    points = []
    for _ in range(num_updates):
        loss = curve_func(weights[0], weights[1])
        points.append(torch.tensor([weights[0].item(), weights[1].item(), loss.item()]))
        loss.backward()
        optimizer.step()
    return torch.stack(points)


@WRONG("the weights are stored after the step")
def late(optimizer_func, curve_func, num_updates, init):
    weights = nn.Parameter(torch.FloatTensor(init))
    optimizer = optimizer_func([weights])
    points = []
    for _ in range(num_updates):
        loss = curve_func(weights[0], weights[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        points.append(torch.cat([weights.data.detach().clone(), loss.detach().view(1)]))
    return torch.stack(points)


@WRONG("there is a row too few")
def off_by_one(optimizer_func, curve_func, num_updates, init):
    rows = loop(
        optimizer_func,
        curve_func,
        num_updates,
        init,
        lambda p, w, loss: p.append(torch.tensor([*w.tolist(), loss.item()])),
    )
    return torch.stack(rows[:-1])


@WRONG("there is a row too many")
def inclusive(optimizer_func, curve_func, num_updates, init):
    return torch.tensor(
        loop(optimizer_func, curve_func, num_updates + 1, init, lambda p, w, loss: p.append([*w.tolist(), loss.item()]))
    )


@WRONG("the loss is missing from the rows")
def no_loss(optimizer_func, curve_func, num_updates, init):
    return torch.tensor(loop(optimizer_func, curve_func, num_updates, init, lambda p, w, loss: p.append(w.tolist())))


@WRONG("the loss stands before the weights")
def loss_first(optimizer_func, curve_func, num_updates, init):
    return torch.tensor(
        loop(optimizer_func, curve_func, num_updates, init, lambda p, w, loss: p.append([loss.item(), *w.tolist()]))
    )


@WRONG("the rows are transposed")
def columns(optimizer_func, curve_func, num_updates, init):
    rows = loop(
        optimizer_func,
        curve_func,
        num_updates,
        init,
        lambda p, w, loss: p.append(torch.tensor([*w.tolist(), loss.item()])),
    )
    return torch.stack(rows, dim=1)


@WRONG("the weights never change")
def no_step(optimizer_func, curve_func, num_updates, init):
    w = torch.tensor(init)
    return torch.stack([torch.cat([w, curve_func(*w).view(1)]) for _ in range(num_updates)])


@WRONG("w1 and w2 are swapped in the loss")
def swapped(optimizer_func, curve_func, num_updates, init):
    return torch.tensor(
        loop(
            optimizer_func,
            lambda a, b: curve_func(b, a),
            num_updates,
            init,
            lambda p, w, loss: p.append([*w.tolist(), loss.item()]),
        )
    )


@WRONG("the first row is missing")
def starts_late(optimizer_func, curve_func, num_updates, init):
    rows = loop(
        optimizer_func, curve_func, num_updates + 1, init, lambda p, w, loss: p.append([*w.tolist(), loss.item()])
    )
    return torch.tensor(rows[1:])


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
