"""Logistic regression against scipy's minimiser, against scikit-learn's numbers, and against named mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
import torch
from torch import Tensor

from gradlab.evaluation import logistic, logistic_regression

CLASSES, NUMBERS = 4, 6
PENALTIES = torch.tensor([1.0, 0.1, 0.003], dtype=torch.float64)
PUBLISHED = Path(__file__).parent / "fixtures" / "logistic_regression.json"


def drawn(samples: int = 60, networks: int = 3) -> tuple[Tensor, Tensor]:
    """Features of several networks, correlated and far from 0, and labels that they say something of."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(samples) % CLASSES
    values = torch.randn(networks, samples, NUMBERS, generator=generator, dtype=torch.float64)
    values[..., 0] += labels
    mixed = values @ torch.randn(NUMBERS, NUMBERS, generator=generator, dtype=torch.float64)
    return mixed * torch.tensor([1.0, 3.0, 0.1, 1, 1, 10], dtype=torch.float64) + 2, labels


def scipys(features: np.ndarray, labels: np.ndarray, penalty: float) -> np.ndarray:
    """The minimiser [classes, numbers + 1] of one problem, by scipy, from the loss written out."""

    def loss(flat):
        table = flat.reshape(CLASSES, NUMBERS + 1)
        logits = features @ table[:, :-1].T + table[:, -1]
        chances = np.exp(logits - scipy.special.logsumexp(logits, axis=1, keepdims=True))
        entropy = -np.log(chances[np.arange(len(labels)), labels]).mean()
        residuals = (chances - np.eye(CLASSES)[labels]) / len(labels)
        gradient = np.column_stack([residuals.T @ features + penalty * table[:, :-1], residuals.sum(0)])
        return entropy + penalty / 2 * (table[:, :-1] ** 2).sum(), gradient.ravel()

    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-11}
    start = np.zeros(CLASSES * (NUMBERS + 1))
    return scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x.reshape(CLASSES, -1)


def solved(**changes):
    features, labels = drawn()
    return logistic_regression(features, labels, PENALTIES, classes=CLASSES, tolerance=1e-9, **changes)


def check_is_scipys(found) -> None:
    features, labels = drawn()
    for network in range(len(features)):
        for place, penalty in enumerate(PENALTIES.tolist()):
            expected = scipys(features[network].numpy(), labels.numpy(), penalty)
            np.testing.assert_allclose(found.weights[network, place], expected[:, :-1], rtol=0, atol=2e-5)
            biases = found.biases[network, place] - found.biases[network, place].mean()  # a constant changes nothing
            np.testing.assert_allclose(biases, expected[:, -1] - expected[:, -1].mean(), rtol=0, atol=2e-4)


def test_is_scipys_minimiser():
    found = solved()
    assert found.gradient.max() <= 1e-9
    check_is_scipys(found)


def test_is_scikit_learns_minimiser():
    """Its weights for the same sum, computed once: its C is 1 / (samples * penalty)."""
    known = json.loads(PUBLISHED.read_text())
    features, penalties = (torch.tensor(known[name], dtype=torch.float64) for name in ("features", "penalties"))
    found = logistic_regression(features[None], torch.tensor(known["labels"]), penalties, classes=3, tolerance=1e-11)
    np.testing.assert_allclose(found.weights[0], known["weights"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        found.biases[0] - found.biases[0].mean(1, keepdim=True), known["biases"], rtol=1e-6, atol=1e-6
    )


def penalised_bias(monkeypatch):
    def all_penalised(self, features, labels, penalties, classes):
        original(self, features, labels, penalties, classes)
        self.penalties = self.penalties.clone()
        self.penalties[..., -1] = self.penalties[..., 0]

    original = logistic._Problem.__init__
    monkeypatch.setattr(logistic._Problem, "__init__", all_penalised)


def summed_loss(monkeypatch):
    original = logistic._Problem.__init__

    def divided(self, features, labels, penalties, classes):
        original(self, features, labels, penalties / len(labels), classes)

    monkeypatch.setattr(logistic._Problem, "__init__", divided)


@pytest.mark.parametrize("wrong", [penalised_bias, summed_loss])
def test_other_sums_are_told_apart(wrong, monkeypatch):
    wrong(monkeypatch)
    with pytest.raises(AssertionError):
        check_is_scipys(solved())


def test_problems_do_not_depend_on_each_other():
    features, labels = drawn()
    together = solved()
    for network in (0, 2):
        for place in (0, 2):
            alone = logistic_regression(
                features[network : network + 1], labels, PENALTIES[place : place + 1], classes=CLASSES, tolerance=1e-9
            )
            torch.testing.assert_close(alone.weights[0, 0], together.weights[network, place], rtol=0, atol=1e-6)


def test_giving_up_says_so():
    found = solved(most_iterations=2)
    assert found.iterations == 2
    assert found.gradient.max() > 1e-9


def test_logits_are_of_each_network_and_penalty():
    features, _ = drawn()
    found = solved()
    logits = found.logits(features)
    expected = features[1] @ found.weights[1, 2].T + found.biases[1, 2]
    torch.testing.assert_close(logits[1, 2], expected.T)


def test_separable_samples_and_single_precision_end_well():
    features, labels = drawn(8, 2)
    found = logistic_regression(features.float(), labels, torch.tensor([1e-4]), classes=CLASSES, tolerance=1e-5)
    assert found.gradient.max() <= 1e-5
    assert found.iterations < 200
    assert (found.logits(features.float()).argmax(2) == labels).all()


def test_what_does_not_fit_is_refused():
    features, labels = drawn()
    with pytest.raises(ValueError, match=r"got penalties \[0.0\]"):
        logistic_regression(features, labels, torch.tensor([0.0]), classes=CLASSES)
    with pytest.raises(ValueError, match="60 samples and 59 labels"):
        logistic_regression(features, labels[1:], torch.tensor([1.0]), classes=CLASSES)
