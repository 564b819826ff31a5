import numpy as np
import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("softmax")


@WRONG("large logits overflow")
def naive(logits):
    e = torch.exp(logits)
    return e / e.sum(1).unsqueeze(1)


@WRONG("large logits overflow")
def row_by_row(logits):
    return torch.stack([row.exp() / row.exp().sum() for row in logits])


@WRONG("the sum runs over the batch instead of the classes")
def columns(logits):
    e = torch.exp(logits - logits.max(0, keepdim=True)[0])
    return e / e.sum(0)


@WRONG("the sum runs over the whole batch")
def everything(logits):
    e = torch.exp(logits - logits.max())
    return e / e.sum()


@WRONG("the largest logit is taken over the whole batch")
def one_maximum(logits):
    e = torch.exp(logits - logits.max())
    return e / e.sum(-1, keepdim=True)


@WRONG("the exponentials are not divided by their sum")
def unnormalised(logits):
    return torch.exp(logits - logits.amax(1)[:, None])


@WRONG("the logarithm of the probabilities is returned")
def logarithms(logits):
    top = logits.amax(1, keepdim=True)
    return logits - top - torch.log(torch.exp(logits - top).sum(1, keepdim=True))


@WRONG("the logits have the wrong sign")
def sign(logits):
    e = torch.exp(logits.amin(1, keepdim=True) - logits)
    return e / e.sum(1, keepdim=True)


@WRONG("each class has its own sigmoid")
def sigmoid(logits):
    return 1 / (1 + torch.exp(-logits))


@WRONG("the logits are divided without an exponential")
def no_exponential(logits):
    return logits / logits.sum(1)[:, None]


@WRONG("the input logits is changed in place")
def in_place(logits):
    logits -= logits.amax(1, keepdim=True)
    return logits.exp() / logits.exp().sum(1, keepdim=True)


@WRONG("an array is returned instead of a tensor")
def in_numpy(logits):
    x = logits.numpy()
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
