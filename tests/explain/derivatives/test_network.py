"""Formulas of layers against torch."""

import pytest
import torch
from torch.nn import functional

from gradlab.explain.derivatives import derivative_of
from gradlab.explain.derivatives.derivative import Derivative, Input
from gradlab.explain.derivatives.network import NETWORK
from gradlab.explain.derivatives.stated import stated_gradients

IMAGES, CHANNEL = (2, 4, 3, 4), (4,)


def normed(training: bool):
    def apply(x, weight, bias):
        mean, variance = torch.linspace(0, 1, 4).double(), torch.linspace(1, 2, 4).double()
        return functional.batch_norm(x, mean, variance, weight, bias, training=training)

    return apply


CASES = {
    "ConvolutionBackward0": [
        (functional.conv2d, (2, 2, 3, 4), (3, 2, 2, 3), (3,)),
        (lambda x, w: functional.conv2d(x, w, stride=2, padding=1), (2, 2, 4, 5), (3, 2, 2, 3)),
        (lambda x, w: functional.conv2d(x, w, stride=(3, 2), dilation=(1, 2)), (1, 2, 5, 6), (3, 2, 3, 2)),
        (lambda x, w: functional.conv2d(x, w, padding=1, groups=2), IMAGES, (6, 2, 3, 3)),
        (lambda x, w: functional.conv2d(x, w, groups=4), IMAGES, (4, 1, 3, 3)),
        (lambda x, w, b: functional.conv1d(x, w, b, stride=2, padding=1), (2, 4, 7), (3, 4, 3), (3,)),
    ],
    "MaxPool2DWithIndicesBackward0": [
        (lambda x: functional.max_pool2d(x, 2), IMAGES),
        (lambda x: functional.max_pool2d(x, 3, stride=1, padding=1), IMAGES),
    ],
    "AvgPool2DBackward0": [
        (lambda x: functional.avg_pool2d(x, 2), IMAGES),
        (lambda x: functional.avg_pool2d(x, (2, 3), stride=1, padding=1), IMAGES),
    ],
    "AdaptiveAvgPool2DBackward0": [(lambda x: functional.adaptive_avg_pool2d(x, (2, 4)), IMAGES)],
    "NativeBatchNormBackward0": [
        (normed(True), IMAGES, CHANNEL, CHANNEL),
        (normed(False), IMAGES, CHANNEL, CHANNEL),
        (lambda x: functional.batch_norm(x, None, None, training=True), (6, 4)),
    ],
    "NativeLayerNormBackward0": [
        (lambda x, w, b: functional.layer_norm(x, (6,), w, b), (2, 3, 6), (6,), (6,)),
        (lambda x, w, b: functional.layer_norm(x, (3, 6), w, b), (2, 3, 6), (3, 6), (3, 6)),
        (lambda x: functional.layer_norm(x, (6,)), (3, 6)),
    ],
    "EmbeddingBackward0": [
        (lambda w: functional.embedding(torch.tensor([[0, 2], [2, 1]]), w), (4, 3)),
    ],
    "GluBackward0": [(lambda x: functional.glu(x, 1), IMAGES)],
}


@pytest.mark.parametrize(("node", "case"), [(node, case) for node in CASES for case in CASES[node]])
def test_formula_is_torch_s(node, case, agrees, drawn):
    function, *shapes = case
    agrees(node, function, *(drawn(*shape, seed=place) for place, shape in enumerate(shapes)))


def test_a_padding_row_gets_no_gradient(drawn):
    """By decree, not by calculus: finite differences would disagree."""
    step = functional.embedding(torch.tensor([0, 2, 2]), drawn(4, 3), padding_idx=0).grad_fn
    gradient = torch.ones(3, 3, dtype=torch.float64)
    (stated,) = stated_gradients(derivative_of(step), step, (gradient,))
    assert torch.equal(stated, step(gradient))
    assert stated.sum(1).tolist() == [0, 0, 6, 0]


def test_every_layer_is_tried():
    assert {entry.node for entry in NETWORK} == set(CASES)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: functional.conv_transpose2d(x, torch.ones(4, 2, 3, 3).double()),
        lambda x: functional.avg_pool2d(x, 2, ceil_mode=True),
        lambda x: functional.avg_pool2d(x, 3, padding=1, count_include_pad=False),
    ],
)
def test_variants_that_no_formula_covers_are_unknown(function, drawn):
    assert derivative_of(function(drawn(*IMAGES)).grad_fn) is None


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        ("NativeLayerNormBackward0", lambda s: s.g * s.weight * s.result2),  # mean and deviation held fixed
        ("MaxPool2DWithIndicesBackward0", lambda s: functional.interpolate(s.g, size=s.self.shape[2:])),
        ("GluBackward0", lambda s: torch.cat([s.g, s.g], 1)),  # no gate
    ],
)
def test_a_wrong_formula_is_found(node, wrong, agrees, drawn, monkeypatch):
    good = next(entry for entry in NETWORK if entry.node == node)
    table = (Derivative(node, "", (Input("x", "", "", wrong), *good.inputs[1:])),)
    monkeypatch.setattr("gradlab.explain.derivatives.DERIVATIVES", table)
    function, *shapes = CASES[node][0]
    with pytest.raises(AssertionError):
        agrees(node, function, *(drawn(*shape, seed=place) for place, shape in enumerate(shapes)))
