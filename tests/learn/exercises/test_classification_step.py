import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.learn.mutants import Mutants

WRONG = Mutants("classification_step")


LOSS = nn.CrossEntropyLoss()


def share(logits, labels):
    return (logits.argmax(dim=-1) == labels).sum().item() / len(labels)


@WRONG("the loss is detached")
def item(model, batch):
    logits = model(batch[0])
    return torch.tensor(LOSS(logits, batch[1]).item()), share(logits, batch[1])


@WRONG("the loss is detached")
@torch.no_grad()
def decorated(model, batch):
    logits = model(batch[0])
    return LOSS(logits, batch[1]), share(logits, batch[1])


@WRONG("there is a softmax before the loss")
def softmax(model, batch):
    probabilities = nn.Softmax(dim=1)(model(batch[0]))
    return LOSS(probabilities, batch[1]), share(probabilities, batch[1])


@WRONG("the sum instead of the mean loss")
def total(model, batch):
    logits = model(batch[0])
    return -F.log_softmax(logits, 1)[range(len(logits)), batch[1]].sum(), share(logits, batch[1])


@WRONG("one loss for each sample")
def each(model, batch):
    logits = model(batch[0])
    return -F.log_softmax(logits, 1)[range(len(logits)), batch[1]], share(logits, batch[1])


@WRONG("the logits are taken for log-probabilities")
def nll(model, batch):
    logits = model(batch[0])
    return -logits[torch.arange(len(logits)), batch[1]].mean(), share(logits, batch[1])


@WRONG("the number of right samples instead of their share")
def count(model, batch):
    logits = model(batch[0])
    return LOSS(logits, batch[1]), float((logits.argmax(-1) == batch[1]).sum())


@WRONG("the error instead of the accuracy")
def error(model, batch):
    logits = model(batch[0])
    return LOSS(logits, batch[1]), 1.0 - share(logits, batch[1])


@WRONG("the accuracy is a tensor")
def tensor(model, batch):
    logits = model(batch[0])
    return LOSS(logits, batch[1]), (logits.argmax(-1) == batch[1]).float().mean()


@WRONG("the model is called twice")
def again(model, batch):
    return LOSS(model(batch[0]), batch[1]), share(model(batch[0]), batch[1])


@WRONG("loss and accuracy are swapped")
def order(model, batch):
    logits = model(batch[0])
    return share(logits, batch[1]), LOSS(logits, batch[1])


@WRONG("per cent instead of a share")
def per_cent(model, batch):
    logits = model(batch[0])
    return LOSS(logits, batch[1]), 100 * share(logits, batch[1])


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
