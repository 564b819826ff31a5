"""The introduction's network: its parameters, by hand, and the problem that needs its hidden layer."""

import torch

from gradlab import rng
from gradlab.data import XORDataset
from gradlab.models import SimpleClassifier
from gradlab.objectives import binary_classification
from gradlab.optim import SGDMomentum
from gradlab.training import Recipe, collect, fit


def test_parameters_are_the_handbook_s_table():
    shapes = {name: tuple(parameter.shape) for name, parameter in SimpleClassifier(2, 4, 1).named_parameters()}
    assert shapes == {"linear1.weight": (4, 2), "linear1.bias": (4,), "linear2.weight": (1, 4), "linear2.bias": (1,)}
    assert sum(parameter.numel() for parameter in SimpleClassifier(2, 4, 1).parameters()) == 17


def test_equals_the_formula():
    model, inputs = SimpleClassifier(2, 4, 3).double(), torch.randn(5, 2, dtype=torch.float64)
    first, second = model.linear1, model.linear2
    expected = torch.tanh(inputs @ first.weight.T + first.bias) @ second.weight.T + second.bias
    torch.testing.assert_close(model(inputs), expected)


def xor_accuracy(make_model, seeds):
    points = XORDataset(2500, generator=rng.generator(0, "train points"))
    held_out = XORDataset(500, generator=rng.generator(0, "test points"))
    recipe = Recipe(epochs=20, batch_size=128, optimizer=lambda p: SGDMomentum(p, lr=2))
    examples = (points.data, points.label)
    _, trained = collect(fit(make_model, examples, binary_classification, recipe, seeds=seeds, together="in a row"))
    with torch.no_grad():
        sums = [binary_classification(model, held_out.data, held_out.label)[1] for model in trained.models.values()]
    return [measured["accuracy"].item() / 500 for measured in sums]


def test_learns_exclusive_or_as_the_handbook_does_and_a_linear_classifier_cannot():
    """The handbook reaches 100 % in 100 epochs at a smaller rate."""
    assert min(xor_accuracy(lambda: SimpleClassifier(2, 4, 1), (0, 1, 2))) >= 0.99
    assert max(xor_accuracy(lambda: torch.nn.Linear(2, 1), (0,))) < 0.8
