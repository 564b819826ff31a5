import pytest
import torch
from torch import nn

from tests.learn.mutants import Mutants

WRONG = Mutants("train_epoch")


LOSS = nn.CrossEntropyLoss()


@WRONG("the model is not in training mode")
def no_train(model, optimizer, batches):
    total = n = 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = LOSS(model(x), y)
        loss.backward()
        optimizer.step()
        total, n = total + loss.item() * len(x), n + len(x)
    return total / n


def student(model, optimizer, batches, after=lambda: None):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        loss = LOSS(model(x), y)
        loss.backward()
        optimizer.step()
        yield loss.item(), len(y)


@WRONG("the gradients are not cleared")
def no_zero_grad(model, optimizer, batches):
    model.train()
    total = n = 0
    for x, y in batches:
        loss = LOSS(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        n += len(x)
    return total / n


@WRONG("the batches' losses are averaged")
def mean_of_means(model, optimizer, batches):
    losses = [loss for loss, _ in student(model, optimizer, batches)]
    return sum(losses) / len(batches)


@WRONG("the sum of the batches' losses is divided by the batch's size")
def cheat_sheet(model, optimizer, batches):
    batch_size = len(batches[0][1])
    return sum(loss for loss, _ in student(model, optimizer, batches)) / batch_size


@WRONG("the losses are summed and not averaged")
def running(model, optimizer, batches):
    return sum(loss for loss, _ in student(model, optimizer, batches))


@WRONG("the last batch's loss is returned")
def last(model, optimizer, batches):
    return [loss for loss, _ in student(model, optimizer, batches)][-1]


@WRONG("there is a softmax before the loss")
def softmax(model, optimizer, batches):
    model.train()
    total = n = 0
    for x, y in batches:
        loss = LOSS(torch.softmax(model(x), dim=-1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        n += len(x)
    return total / n


@WRONG("the optimiser takes no step")
def no_step(model, optimizer, batches):
    model.train()
    total = n = 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = LOSS(model(x), y)
        loss.backward()
        total += loss.item() * len(x)
        n += len(x)
    return total / n


@WRONG("there is one step for all batches")
def step_outside(model, optimizer, batches):
    model.train()
    optimizer.zero_grad()
    total = n = 0
    for x, y in batches:
        loss = LOSS(model(x), y)
        loss.backward()
        total += loss.item() * len(x)
        n += len(x)
    optimizer.step()
    return total / n


@WRONG("the last batch is left out")
def drop_last(model, optimizer, batches):
    seen = list(student(model, optimizer, batches[: len(batches) - 1]))
    return sum(loss * n for loss, n in seen) / sum(n for _, n in seen)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
