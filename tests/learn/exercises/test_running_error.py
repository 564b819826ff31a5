import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("running_error")


@WRONG("every batch counts as a full one")
def full_batches(logits, labels):
    batch_size = len(labels[0])
    right = sum((x.max(1)[1] == y).sum().item() for x, y in zip(logits, labels, strict=False))
    return 100.0 * (1.0 - right / (batch_size * len(logits)))


@WRONG("the batches' errors are averaged")
def mean_of_means(logits, labels):
    errors = [(x.argmax(1) != y).float().mean().item() for x, y in zip(logits, labels, strict=False)]
    return 100 * sum(errors) / len(errors)


@WRONG("the accuracy instead of the error")
def accuracy(logits, labels):
    return 100 * (torch.cat(logits).argmax(1) == torch.cat(labels)).float().mean().item()


@WRONG("a share instead of per cent")
def share(logits, labels):
    return (torch.cat(logits).argmax(1) != torch.cat(labels)).float().mean().item()


@WRONG("only the last batch counts")
def reset_in_the_loop(logits, labels):
    for x, y in zip(logits, labels, strict=False):
        wrong, seen = 0, 0
        wrong += (x.argmax(1) != y).sum().item()
        seen += len(y)
    return 100 * wrong / seen


@WRONG("the last batch is left out")
def drop_last(logits, labels):
    return 100 * (torch.cat(logits[:-1]).argmax(1) != torch.cat(labels[:-1])).float().mean().item()


@WRONG("the smallest logit is taken")
def argmin(logits, labels):
    return 100 * (torch.cat(logits).argmin(1) != torch.cat(labels)).float().mean().item()


@WRONG("the number of wrong predictions")
def count(logits, labels):
    return (torch.cat(logits).argmax(1) != torch.cat(labels)).sum().item()


@WRONG("divided by the number of batches")
def by_batches(logits, labels):
    right = 0
    for x, y in zip(logits, labels, strict=False):
        right += (torch.max(x, 1).indices == y).sum().item()
    return 100 * (1 - right / len(logits))


@WRONG("the right samples of the last batch over all samples")
def assigns(logits, labels):
    seen = 0
    for x, y in zip(logits, labels, strict=False):
        right = (x.argmax(1) == y).sum().item()
        seen += len(y)
    return 100 * (1 - right / seen)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
