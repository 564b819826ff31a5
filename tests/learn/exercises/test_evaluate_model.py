import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("evaluate_model")


def right_of(model, batches):
    return [((model(x).argmax(-1) == y).sum().item(), len(y)) for x, y in batches]


@WRONG("the model stays in evaluation mode")
@torch.no_grad()
def stays(model, batches):
    model.eval()
    pairs = right_of(model, batches)
    return sum(r for r, _ in pairs) / sum(n for _, n in pairs)


@WRONG("the model is always put into training mode")
@torch.no_grad()
def always_trains(model, batches):
    model.eval()
    pairs = right_of(model, batches)
    model.train()
    return sum(r for r, _ in pairs) / sum(n for _, n in pairs)


@WRONG("the evaluation is recorded by autograd")
def records(model, batches):
    was = model.training
    model.eval()
    pairs = right_of(model, batches)
    model.train(was)
    return sum(r for r, _ in pairs) / sum(n for _, n in pairs)


@WRONG("the mode is left as it is")
@torch.no_grad()
def no_eval(model, batches):
    pairs = right_of(model, batches)
    return sum(r for r, _ in pairs) / sum(n for _, n in pairs)


def evaluated(model, batches):
    was = model.training
    with torch.inference_mode():
        pairs = right_of(model.eval(), batches)
    model.train(was)
    return pairs


@WRONG("the batches' accuracies are averaged")
def mean_of_means(model, batches):
    pairs = evaluated(model, batches)
    return sum(r / n for r, n in pairs) / len(pairs)


@WRONG("every batch counts as a full one")
def full(model, batches):
    pairs = evaluated(model, batches)
    return sum(r for r, _ in pairs) / (len(batches) * len(batches[0][0]))


@WRONG("only the last batch counts")
def last(model, batches):
    r, n = evaluated(model, batches)[-1]
    return r / n


@WRONG("the number of right samples is returned")
def count(model, batches):
    return sum(r for r, _ in evaluated(model, batches))


@WRONG("the error instead of the accuracy")
def error(model, batches):
    pairs = evaluated(model, batches)
    return sum(n - r for r, n in pairs) / sum(n for _, n in pairs)


@WRONG("the model is evaluated in training mode")
@torch.no_grad()
def trains(model, batches):
    model.train()
    pairs = right_of(model, batches)
    return sum(r for r, _ in pairs) / sum(n for _, n in pairs)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
