import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("encode_images")


def collected(model, batches):
    with torch.no_grad():
        features = torch.cat([model.encoder(x) for x, _ in batches])
    return features, torch.cat([y for _, y in batches])


def by_label(features, labels):
    order = sorted(range(len(labels)), key=lambda i: labels[i].item())
    return features[order], labels[order]


@WRONG("the head is still there")
@torch.no_grad()
def whole_model(model, batches):
    model.eval()
    return by_label(torch.cat([model(x) for x, _ in batches]), torch.cat([y for _, y in batches]))


@WRONG("the model is in training mode")
def no_eval(model, batches):
    return by_label(*collected(model, batches))


@WRONG("the features are recorded by autograd")
def records(model, batches):
    model.eval()
    return by_label(torch.cat([model.encoder(x) for x, _ in batches]), torch.cat([y for _, y in batches]))


@WRONG("nothing is ordered")
def unordered(model, batches):
    return collected(model.eval(), batches)


@WRONG("only the labels are ordered")
def labels_only(model, batches):
    features, labels = collected(model.eval(), batches)
    return features, labels.sort()[0]


@WRONG("images of the same label change their order")
def unstable(model, batches):
    features, labels = collected(model.eval(), batches)
    labels, indices = labels.sort()
    return features[indices], labels


@WRONG("images of the same label come backwards")
def prepends(model, batches):
    features, labels = collected(model.eval(), batches)
    order = [i for c in range(3) for i in range(len(labels) - 1, -1, -1) if labels[i] == c]
    return features[order], labels[order]


@WRONG("the largest label comes first")
def descending(model, batches):
    features, labels = collected(model.eval(), batches)
    order = sorted(range(len(labels)), key=lambda i: -labels[i].item())
    return features[order], labels[order]


@WRONG("only the last batch is encoded")
def overwrites(model, batches):
    model.eval()
    for x, y in batches:
        features, labels = model.encoder(x).detach(), y
    return by_label(features, labels)


@WRONG("the last batch is left out")
def drop_last(model, batches):
    return by_label(*collected(model.eval(), batches[: len(batches) - 1]))


@WRONG("features and labels are swapped")
def swapped(model, batches):
    return tuple(reversed(by_label(*collected(model.eval(), batches))))


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
