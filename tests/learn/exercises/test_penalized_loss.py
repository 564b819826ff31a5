import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("penalized_loss")


@WRONG("the biases are penalised as well")
def everything(loss, parameters, l1, l2):
    flat = torch.cat([p.flatten() for p in parameters])
    return loss + l1 * flat.abs().sum() + l2 * (flat**2).sum()


@WRONG("the penalties are detached")
def items(loss, parameters, l1, l2):
    for p in parameters:
        if p.dim() > 1:
            loss = loss + l1 * p.abs().sum().item() + l2 * p.pow(2).sum().item()
    return loss


@WRONG("the penalties are detached")
def data(loss, parameters, l1, l2):
    return loss + sum(l1 * p.data.abs().sum() + l2 * (p.data**2).sum() for p in parameters if p.dim() > 1)


@WRONG("the whole loss is detached")
def no_grad(loss, parameters, l1, l2):
    with torch.no_grad():
        return loss + sum(l1 * p.norm(1) + l2 * p.norm() ** 2 for p in parameters if len(p.shape) > 1)


@WRONG("the penalties are averaged")
def means(loss, parameters, l1, l2):
    return loss + sum(l1 * p.abs().mean() + l2 * (p * p).mean() for p in parameters if p.dim() > 1)


@WRONG("the weights are summed without absolute values")
def no_abs(loss, parameters, l1, l2):
    return loss + sum(l1 * p.sum() + l2 * (p * p).sum() for p in parameters if p.dim() > 1)


@WRONG("l1 and l2 are swapped")
def swapped(loss, parameters, l1, l2):
    return loss + sum(l2 * p.abs().sum() + l1 * (p * p).sum() for p in parameters if p.dim() > 1)


@WRONG("the norm instead of its square")
def root(loss, parameters, l1, l2):
    return loss + sum(l1 * p.abs().sum() + l2 * (p**2).sum().sqrt() for p in parameters if p.dim() > 1)


@WRONG("half of the squares")
def halved(loss, parameters, l1, l2):
    return loss + sum(l1 * p.abs().sum() + 0.5 * l2 * (p**2).sum() for p in parameters if p.dim() > 1)


@WRONG("the penalties are taken off")
def minus(loss, parameters, l1, l2):
    return loss - sum(l1 * p.abs().sum() + l2 * (p**2).sum() for p in parameters if p.dim() > 1)


@WRONG("only the first parameter is penalised")
def returns_early(loss, parameters, l1, l2):
    for p in parameters:
        if p.dim() > 1:
            return loss + l1 * p.abs().sum() + l2 * (p**2).sum()
    return loss


@WRONG("only the penalties are returned")
def forgets(loss, parameters, l1, l2):
    return sum(l1 * p.abs().sum() + l2 * (p**2).sum() for p in parameters if p.dim() > 1)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
