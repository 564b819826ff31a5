import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("rotation_accuracies")


@torch.no_grad()
def accuracy(model, images, labels):
    return (model(images).max(1)[1] == labels).sum().item() / len(labels)


@WRONG("the angles add up")
def reassigns(model, images, labels, rotate, angles):
    model.eval()
    result = []
    for angle in angles:
        images = rotate(images, angle)
        result.append(accuracy(model, images, labels))
    return result


@WRONG("the model is in training mode")
def no_eval(model, images, labels, rotate, angles):
    return [accuracy(model, rotate(images, angle), labels) for angle in angles]


@WRONG("the evaluation is recorded by autograd")
def records(model, images, labels, rotate, angles):
    model.train(False)
    return [(model(rotate(images, angle)).argmax(-1) == labels).float().mean().item() for angle in angles]


@WRONG("the images turn the other way")
def other_way(model, images, labels, rotate, angles):
    model.eval()
    return [accuracy(model, rotate(images, 360 - angle), labels) for angle in angles]


@WRONG("the images are not turned")
def unturned(model, images, labels, rotate, angles):
    model.eval()
    return [accuracy(model, images, labels) for _ in angles]


@WRONG("the errors instead of the accuracies")
def errors(model, images, labels, rotate, angles):
    model.eval()
    return [1 - accuracy(model, rotate(images, angle), labels) for angle in angles]


@WRONG("counts instead of shares")
def counts(model, images, labels, rotate, angles):
    model.eval()
    return [round(len(labels) * accuracy(model, rotate(images, angle), labels)) for angle in angles]


@WRONG("one mean over all angles")
def mean(model, images, labels, rotate, angles):
    model.eval()
    return torch.tensor([accuracy(model, rotate(images, angle), labels) for angle in angles]).mean()


@WRONG("only the last angle is returned")
def last(model, images, labels, rotate, angles):
    model.eval()
    for angle in angles:
        result = accuracy(model, rotate(images, angle), labels)
    return result


@WRONG("the first angle is missing")
def skips(model, images, labels, rotate, angles):
    model.eval()
    return [accuracy(model, rotate(images, angle), labels) for angle in list(angles)[1:]]


@WRONG("per cent instead of shares")
def per_cent(model, images, labels, rotate, angles):
    model.eval()
    return [accuracy(model, rotate(images, angle), labels) * 100 for angle in angles]


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
