import math

import pytest
import torch
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("attention")


def student(query, key, value, mask, scale=None, dim=-1, hide=lambda s, m: s.masked_fill(m == 0, -math.inf)):
    scores = torch.matmul(query, key.mT) / (math.sqrt(query.size(-1)) if scale is None else scale)
    if mask is not None:
        scores = hide(scores, mask)
    p = F.softmax(scores, dim=dim)
    return torch.matmul(p, value), p


@WRONG("the scores are not scaled")
def unscaled(query, key, value, mask=None):
    return student(query, key, value, mask, scale=1)


@WRONG("divided by d instead of its square root")
def over_d(query, key, value, mask=None):
    return student(query, key, value, mask, scale=key.size(-1))


@WRONG("scaled by the number of sources")
def over_sources(query, key, value, mask=None):
    return student(query, key, value, mask, scale=math.sqrt(value.size(-2)))


@WRONG("multiplied by sqrt(d)")
def times_root(query, key, value, mask=None):
    return student(query * math.sqrt(query.size(-1)), key, value, mask, scale=1)


@WRONG("the softmax runs over the targets")
def wrong_axis(query, key, value, mask=None):
    return student(query, key, value, mask, dim=-2)


@WRONG("the mask is the wrong way round")
def inverted(query, key, value, mask=None):
    return student(query, key, value, mask, hide=lambda s, m: s.masked_fill(m.bool(), float("-inf")))


@WRONG("the mask is ignored")
def ignores(query, key, value, mask=None):
    return student(query, key, value, None)


@WRONG("masked scores are set to 0")
def multiplies(query, key, value, mask=None):
    return student(query, key, value, mask, hide=lambda s, m: s * m)


@WRONG("the weights are masked after the softmax")
def late(query, key, value, mask=None):
    p = torch.softmax(query @ key.mT / math.sqrt(query.size(-1)), -1)
    p = p if mask is None else p.masked_fill(mask == 0, 0)
    return p @ value, p


@WRONG("the weights are missing")
def only_values(query, key, value, mask=None):
    return F.scaled_dot_product_attention(query, key, value, None if mask is None else mask.bool())


@WRONG("values and weights are swapped")
def order(query, key, value, mask=None):
    values, weights = student(query, key, value, mask)
    return weights, values


@WRONG("there is no softmax")
def raw(query, key, value, mask=None):
    scores = torch.einsum("...td,...sd->...ts", query, key) / math.sqrt(query.size(-1))
    if mask is not None:
        scores[mask == 0] = -math.inf
    return scores @ value, scores


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
