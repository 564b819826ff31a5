import pytest
import torch
from torch import nn

from tests.learn.mutants import Mutants

WRONG = Mutants("batch_norm")


def layer(gamma, beta, mean, var, momentum, training):
    norm = nn.BatchNorm1d(len(gamma), momentum=momentum)
    norm.weight.data, norm.bias.data = gamma, beta
    norm.running_mean, norm.running_var = mean.clone(), var.clone()
    return norm.train(training)


def formula(x, gamma, beta, mean, var):
    return gamma * (x - mean) / torch.sqrt(var + 1e-5) + beta


def moved(old, new, momentum):
    return old + momentum * (new - old)


@WRONG("the samples are normalised instead of the features")
def layer_norm(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, momentum, training)
    y = norm(x)
    if training:
        y = nn.functional.layer_norm(x, x.shape[1:], gamma, beta)
    return y, norm.running_mean, norm.running_var


@WRONG("the batch is normalised with the unbiased variance")
def unbiased(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, momentum, training)
    y = norm(x)
    return formula(x, gamma, beta, x.mean(0), x.var(0)) if training else y, norm.running_mean, norm.running_var


@WRONG("the running variance takes the biased one")
def biased(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, momentum, training)
    y = norm(x)
    var = moved(running_var, x.var(0, unbiased=False), momentum) if training else running_var
    return y, norm.running_mean, var


@WRONG("the variances are swapped")
def default_var_everywhere(x, gamma, beta, running_mean, running_var, training, momentum):
    if not training:
        return formula(x, gamma, beta, running_mean, running_var), running_mean, running_var
    y = formula(x, gamma, beta, x.mean(0), x.var(0))
    return y, moved(running_mean, x.mean(0), momentum), moved(running_var, x.var(0, unbiased=False), momentum)


@WRONG("the square root is missing")
def no_root(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, momentum, training)
    norm(x)
    mean, var = (x.mean(0), x.var(0, unbiased=False)) if training else (running_mean, running_var)
    return gamma * (x - mean) / (var + 1e-5) + beta, norm.running_mean, norm.running_var


@WRONG("the momentum weighs the old values")
def other_momentum(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, 1 - momentum, training)
    return norm(x), norm.running_mean, norm.running_var


@WRONG("the running statistics change outside training")
def always_tracks(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, momentum, training)
    y = norm(x)
    norm.train()(x) if not training else None
    return y, norm.running_mean, norm.running_var


@WRONG("the running statistics never change")
def never_tracks(x, gamma, beta, running_mean, running_var, training, momentum):
    return layer(gamma, beta, running_mean, running_var, momentum, training)(x), running_mean, running_var


@WRONG("beta is missing")
def no_shift(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, torch.zeros_like(beta), running_mean, running_var, momentum, training)
    return norm(x), norm.running_mean, norm.running_var


@WRONG("gamma is missing")
def no_scale(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(torch.ones_like(gamma), beta, running_mean, running_var, momentum, training)
    return norm(x), norm.running_mean, norm.running_var


@WRONG("the running values are changed in place")
def in_place(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, momentum, training)
    norm.running_mean, norm.running_var = running_mean, running_var
    return norm(x), running_mean, running_var


@WRONG("the batch's statistics are used outside training")
def forgets_mode(x, gamma, beta, running_mean, running_var, training, momentum):
    norm = layer(gamma, beta, running_mean, running_var, momentum, True)
    y = norm(x)
    return (y, norm.running_mean, norm.running_var) if training else (y, running_mean, running_var)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
