import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("contrastive_accuracy")


def ranks(similarities, itself=True, ties=True, n=None):
    count = len(similarities)
    n = count // 2 if n is None else n
    found = []
    for i in range(count):
        mine = similarities[i, (i + n) % count]
        others = [similarities[i, k] for k in range(count) if k != (i + n) % count and (k != i or not itself)]
        found.append(sum(bool(s >= mine) if ties else bool(s > mine) for s in others))
    return torch.tensor(found)


def share(found, top):
    return (found < top).float().mean().item()


@WRONG("the row itself counts")
def counts_itself(similarities, top):
    return share(ranks(similarities, itself=False), top)


@WRONG("ties count for the row")
def as_in_the_handbook(similarities, top):
    return share(ranks(similarities, ties=False), top)


@WRONG("the row itself counts, and ties count for the row")
def both(similarities, top):
    return share(ranks(similarities, itself=False, ties=False), top)


@WRONG("the next row is taken for the partner")
def next_row(similarities, top):
    return share(ranks(similarities, n=1), top)


@WRONG("the least similar rows are taken")
def least(similarities, top):
    return share(ranks(-1 * similarities), top)


@WRONG("always the first place")
def first(similarities, top):
    return (ranks(similarities) == 0).float().mean().item()


@WRONG("one place too many")
def inclusive(similarities, top):
    return (ranks(similarities) <= top).float().mean().item()


@WRONG("one place too few")
def from_one(similarities, top):
    return (ranks(similarities) + 1 < top).float().mean().item()


@WRONG("the error instead of the accuracy")
def error(similarities, top):
    return (ranks(similarities) >= top).float().mean().item()


@WRONG("the number instead of the share")
def number(similarities, top):
    return (ranks(similarities) < top).sum().item()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
