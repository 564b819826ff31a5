"""The variational autoencoder's experiment: its arms, its binary images, its numbers on the page, its refusals."""

import numpy as np
import pytest
import torch

from gradlab import data
from gradlab.cli import predict
from gradlab.cli.run import main
from gradlab.errors import UsageError
from gradlab.experiments import vae
from gradlab.experiments.vae import Config, arms, drawn_once, network
from gradlab.records import RunFolder
from gradlab.report import Pictures, ScatterChart, Table

WORDS = ["vae", "--quick", "--epochs", "2", "--dimensions", "3", "2", "--betas", "1", "4", "--seeds", "0", "1"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("vae") / "run"
    assert main([*WORDS, "--together", "in a row", "--quiet", "--out", str(out)]) == 0
    return RunFolder(out)


def test_arms_are_sizes_of_codes_by_betas():
    assert arms(Config(dimensions=(10, 1), betas=(1.0, 0.5))) == {
        "10 dimensions": (10, 1.0),
        "10 dimensions, beta 0.5": (10, 0.5),
        "1 dimension": (1, 1.0),
        "1 dimension, beta 0.5": (1, 0.5),
    }
    model = network(Config(), "2 dimensions, beta 4", (1, 28, 28), 10)
    assert sum(parameter.numel() for parameter in model.parameters()) == 469_268


def test_held_out_images_are_drawn_once_from_their_brightness():
    images = data.load("digits").test
    bits = drawn_once(images, "test")
    assert torch.equal(bits, drawn_once(images, "test"))
    assert not torch.equal(bits, drawn_once(images, "validation"))
    assert set(bits.unique().tolist()) == {0, 1}
    assert bits[images.pixels == 0].sum() == 0
    assert bits.mean().item() == pytest.approx(images.pixels.float().mean().item() / 255, abs=0.01)


def test_the_parts_add_up_and_the_larger_bound_is_the_better_one(finished):
    results = finished.document("results")
    for about in results["arms"].values():
        values = {name: metric["values"] for name, metric in about["metrics"].items()}
        assert set(values) == {*vae.BOUND, *vae.FURTHER}
        for elbo, log_px, kl in zip(values["test_elbo"], values["test_log_px"], values["test_kl"], strict=True):
            assert elbo == log_px - kl
            assert kl >= 0
    directions = {entry["metric"]: entry["larger_is_better"] for entry in results["comparisons"]}
    assert directions == {"test_elbo": True, "test_importance_weighted_elbo": True}


def test_beta_weighs_the_divergence(finished):
    rows = [row for row in finished.rows() if row["split"] == "train"]
    for row in rows:
        beta = 4 if "beta 4" in row["arm"] else 1
        assert row["loss"] == pytest.approx(-row["log_px"] + beta * row["kl"], rel=1e-5)


def test_the_page_tells_the_bound_of_the_arm_that_validates_best(finished):
    blocks, results = vae.page(finished), finished.document("results")
    validated = {
        arm: np.mean([row["elbo"] for row in finished.rows()
                      if (row["arm"], row["split"], row.get("epoch")) == (arm, "validation", 2)])
        for arm in results["arms"]
    }  # fmt: skip
    best = max(validated, key=validated.get)
    mean = results["arms"][best]["metrics"]["test_elbo"]["mean"]
    told = blocks[0].text.partition(f"The arm that validates best, {best}, ")[2]
    assert f"(ELBO) of −{str(-mean)[:2]}" in told
    assert "(n = 2) nats" in told


def test_the_page_shows_planes_only_for_codes_of_two_numbers(finished):
    blocks = vae.page(finished)
    titles = [block.title for block in blocks if isinstance(block, Pictures | ScatterChart)]
    assert titles.count("Where test images lie: 2 dimensions") == 1
    assert "What lies where: 2 dimensions" in titles
    assert not any("3 dimensions" in title for title in titles)
    table = next(block for block in blocks if isinstance(block, Table))
    assert [row[0] for row in table.rows] == list(arms(Config(dimensions=(3, 2))))


def test_it_names_no_pictures(finished, tmp_path):
    with pytest.raises(UsageError, match="predict is for image classifiers"):
        predict.main([str(finished.path), str(tmp_path / "a.png")])


def test_coloured_images_are_refused(monkeypatch):
    digits = data.load("digits")
    coloured = {
        part: data.Images(images.pixels.repeat(1, 3, 1, 1), images.labels, images.classes)
        for part in ("train", "validation", "test")
        for images in [getattr(digits, part)]
    }
    monkeypatch.setattr(data, "load", lambda *_words, **_more: data.Splits(**coloured, name="coloured"))
    with pytest.raises(UsageError, match="grey images of one channel: coloured has 3"):
        main(["vae", "--quick", "--dry-run"])
