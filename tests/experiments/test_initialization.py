"""Scales through untrained networks: what each scheme does, and that every scheme means what theory takes it for."""

import pytest
import torch
from torch import nn

from gradlab.cli.run import main
from gradlab.experiments import initialization
from gradlab.experiments.initialization import SCHEMES, Config, expect, measure, recurrent_variances
from gradlab.explain import NONLINEARITIES
from gradlab.records import RunFolder

SMALL = Config(depth=8, width=160, samples=64)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_follows_its_theory(scheme, nonlinearity):
    found, expected = measure(SMALL, scheme, nonlinearity, 0), expect(SMALL, scheme, nonlinearity)
    assert found.forward_growth() == pytest.approx(expected.forward_growth(), rel=0.05)
    assert found.backward_growth() == pytest.approx(expected.backward_growth(), rel=0.05)


def test_seeds_differ_and_repeat():
    assert measure(SMALL, "Xavier", "ReLU", 1) == measure(SMALL, "Xavier", "ReLU", 1)
    assert measure(SMALL, "Xavier", "ReLU", 1) != measure(SMALL, "Xavier", "ReLU", 2)


def test_the_recurrent_layer_is_torchs():
    config = Config(width=12, samples=5, steps=4)
    layer = initialization.RULES["1 / n"](
        nn.RNN(12, 12, nonlinearity="relu", batch_first=True),
        generator=initialization.rng.generator(0, "recurrent 1 / n"),
    )
    drawn = initialization.rng.generator(0, "recurrent inputs")
    inputs = torch.stack([torch.randn(5, 12, generator=drawn).relu() for _ in range(4)], dim=1)
    states = layer(inputs)[0]
    before = torch.cat([torch.zeros(5, 1, 12), states[:, :-1]], dim=1)
    summed = inputs @ layer.weight_ih_l0.T + before @ layer.weight_hh_l0.T
    expected = summed.square().mean(dim=(0, 2)).tolist()
    assert recurrent_variances(config, "1 / n", 0) == pytest.approx(expected, rel=1e-5)


def test_half_the_variance_keeps_a_recurrent_layer_level():
    config = Config(width=400, samples=64, steps=8)
    double, single = (recurrent_variances(config, rule, 0) for rule in initialization.RULES)
    assert single == pytest.approx([1 - 0.5**step for step in range(1, 9)], rel=0.15)
    assert double[:4] == pytest.approx([1, 2, 3, 4], rel=0.3)
    assert double[-1] > 4 * single[-1]


def test_the_page_names_what_keeps_the_scale(tmp_path):
    out = tmp_path / "run"
    assert main(["initialization", "--depth", "30", "--width", "128", "--seeds", "0", "1", "--quiet", "--out",
                 str(out)]) == 0  # fmt: skip
    answer = initialization.page(RunFolder(out))[0].text
    assert (
        "with tanh Xavier and Kaiming and orthogonal; with ReLU Kaiming; with identity Xavier and orthogonal" in answer
    )
