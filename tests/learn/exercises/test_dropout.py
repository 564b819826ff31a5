import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("dropout")


@WRONG("the kept numbers are not scaled")
def unscaled(x, uniform, p, training):
    return torch.where(uniform < p, 0.0, x) if training else x


@WRONG("the scale belongs to evaluation here")
def original_paper(x, uniform, p, training):
    if not training:
        return (1 - p) * x
    return x.masked_fill(uniform < p, 0)


@WRONG("p is the probability of keeping here")
def keep_probability(x, uniform, p, training):
    mask = (uniform < p).float()
    return x * mask / p if training else x


@WRONG("the mask is the wrong way round")
def inverted(x, uniform, p, training):
    return x.masked_fill(uniform >= p, 0) / (1 - p) if training else x


@WRONG("divided by p instead of 1 - p")
def over_p(x, uniform, p, training):
    return x.masked_fill(uniform < p, 0) / p if training else x


@WRONG("multiplied by 1 - p instead of divided")
def times(x, uniform, p, training):
    return x.masked_fill(uniform < p, 0) * (1 - p) if training else x


@WRONG("numbers are dropped in evaluation")
def always(x, uniform, p, training):
    mask = (uniform >= p).to(x.dtype)
    return mask * x / (1 - p)


@WRONG("numbers are dropped in evaluation only")
def swapped(x, uniform, p, training):
    if training:
        return x
    return x.masked_fill(uniform < p, 0) / (1 - p)


@WRONG("a fixed half is dropped")
def half(x, uniform, p, training):
    return torch.where(uniform < 0.5, 0, x) / (1 - p) if training else x


@WRONG("the input x is changed in place")
def in_place(x, uniform, p, training):
    if training:
        x[uniform < p] = 0
        return x / (1 - p)
    return x


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
