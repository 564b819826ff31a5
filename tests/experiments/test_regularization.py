"""Regularisers: every arm has its own and nothing else, and the gap is told with its interval."""

import pytest
import torch
from torch import nn

from gradlab import data
from gradlab.cli.run import main
from gradlab.experiments import regularization
from gradlab.experiments.regularization import Config, few, network, recipe
from gradlab.records import RunFolder
from gradlab.report import Table

ARMS = ("none", "L1", "L2", "dropout", "BatchNorm")


def decay_of(arm):
    return recipe(Config(), arm).optimizer([torch.zeros(1, requires_grad=True)]).param_groups[0]["weight_decay"]


@pytest.mark.parametrize("arm", ARMS)
def test_each_arm_has_its_regulariser_and_no_other(arm):
    layers = [type(layer) for layer in network(Config(), arm, (1, 28, 28), 10).modules()]
    assert any(issubclass(layer, nn.Dropout) for layer in layers) == (arm == "dropout")
    assert (nn.BatchNorm1d in layers) == (arm == "BatchNorm")
    assert recipe(Config(), arm).l1 == (1e-5 if arm == "L1" else 0)
    assert decay_of(arm) == (1e-4 if arm == "L2" else 0)


def test_the_few_images_are_the_same_every_time():
    digits = data.load("digits")
    assert torch.equal(few(digits.train, 50).pixels, few(digits.train, 50).pixels)
    assert len(few(digits.train, 10**6)) == len(digits.train)
    assert len(set(few(digits.train, 200).labels.tolist())) == 10


def test_the_gap_is_told(tmp_path):
    out = tmp_path / "run"
    words = ["regularization", "--quick", "--epochs", "8", "--arms", "none", "dropout", "--seeds", "0", "1"]
    assert main([*words, "--together", "in a row", "--quiet", "--out", str(out)]) == 0
    blocks = regularization.page(RunFolder(out))
    assert "Without a regulariser the accuracy on the training images is" in blocks[0].text
    assert "dropout" in blocks[0].text
    assert "too few seeds" in blocks[0].text
    table = next(block for block in blocks if isinstance(block, Table))
    arms = RunFolder(out).document("results")["arms"]
    gap = arms["none"]["metrics"]["train_accuracy"]["mean"] - arms["none"]["metrics"]["validation_accuracy"]["mean"]
    assert float(table.rows[0][2].split()[0]) == pytest.approx(100 * gap, abs=0.6)
