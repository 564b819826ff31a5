"""Every experiment, with its quick settings or smaller ones, from the command to the report."""

import dataclasses
import importlib
import json
import math
from pathlib import Path

import pytest

from gradlab.answers import PAGES, Question
from gradlab.cli.run import main
from gradlab.experiments import experiment_names
from gradlab.records import RunFolder
from gradlab.report import Answer, block_title

CHEAPER = {
    "few_labels": ["--labels", "5", "20", "--scratch-epochs", "1", "--finetune-epochs", "1"],
    "mlp_improvements": ["--ideas", "augmentation", "dropout", "weight_decay", "deeper", "best"],
    "pixel_shuffle": ["--networks", "MLP", "--modes", "none", "fixed", "batch", "image"],
    "rotation_robustness": ["--networks", "MLP", "ViT", "--step", "90"],
}
"""Flags for an experiment whose quick settings are more than a test needs."""
WITHOUT_TEST_SPLIT = frozenset({"initialization", "learning_rates", "optimizer_paths"})
"""Experiments that ask about something else than what a trained network does on new images."""
WITHOUT_CHANCE = frozenset({"optimizer_paths"})
"""Experiments that draw nothing at random, and so measure one seed only."""


def words(name: str, out: Path) -> list[str]:
    module = importlib.import_module(f"gradlab.experiments.{name}")
    one_epoch = ["--epochs", "1"] if "epochs" in {field.name for field in dataclasses.fields(module.Config)} else []
    place = ["--seeds", "0", "3", "--together", "in a row", "--offline", "--quiet", "--out", str(out)]
    return [name, "--quick", *one_epoch, *CHEAPER.get(name, []), *place]


@pytest.fixture(autouse=True)
def _nothing_to_download_from(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADLAB_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GRADLAB_OFFLINE", "1")


def problems(results: dict, *, tested: bool, seeds: tuple[int, ...] = (0, 3)) -> list[str]:
    """What is missing from the results of two seeds: arms, test measurements, seeds, finite numbers."""
    found = [] if results["arms"] else ["no arms"]
    for arm, about in results["arms"].items():
        values = {name: metric["values"] for name, metric in about["metrics"].items()}
        if about["seeds"] != list(seeds):
            found.append(f"{arm} has seeds {about['seeds']}")
        if tested and not any(name.startswith("test_") for name in values):
            found.append(f"{arm} was not tested")
        found += [f"{arm}, {name}: {numbers}" for name, numbers in values.items()
                  if not all(isinstance(number, float) and math.isfinite(number) for number in numbers)]  # fmt: skip
    return found


def questions_of(name: str) -> list[Question]:
    return [asked for practical in PAGES for asked in practical.questions if asked.experiment_name == name]


@pytest.mark.parametrize("name", experiment_names())
def test_quick_settings_run_and_report(name, tmp_path):
    out = tmp_path / "run"
    assert main(words(name, out)) == 0
    results = json.loads((out / "results.json").read_text())
    seeds = (0,) if name in WITHOUT_CHANCE else (0, 3)
    assert problems(results, tested=name not in WITHOUT_TEST_SPLIT, seeds=seeds) == []
    run = RunFolder(out)
    blocks = importlib.import_module(f"gradlab.experiments.{name}").page(run)
    assert sum(isinstance(block, Answer) for block in blocks) == 1
    titles = {block_title(block) for block in blocks}
    assert [title for question in questions_of(name) for title in question.shows if title not in titles] == []
    html = (out / "report.html").read_text()
    assert "Nothing was measured" not in html
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    assert {path.suffix for path in (out / "figures").iterdir()} == {".svg", ".png", ".csv"}


def test_the_same_command_gives_the_same_rows(tmp_path):
    for folder in ("first", "second"):
        assert main(words("mlp_cifar10", tmp_path / folder)) == 0
    first, second = (RunFolder(tmp_path / folder).rows() for folder in ("first", "second"))
    assert first == second
    assert [row["accuracy"] for row in first if row["seed"] == 0] != [r["accuracy"] for r in first if r["seed"] == 3]


@pytest.mark.parametrize(
    ("arms", "told"),
    [
        ({}, "no arms"),
        ({"a": {"seeds": [0], "metrics": {"test_accuracy": {"values": [0.5]}}}}, "a has seeds [0]"),
        ({"a": {"seeds": [0, 3], "metrics": {"train_accuracy": {"values": [0.5, 0.5]}}}}, "a was not tested"),
        ({"a": {"seeds": [0, 3], "metrics": {"test_loss": {"values": [0.5, None]}}}}, "a, test_loss: [0.5, None]"),
    ],
)
def test_poor_results_are_told_apart(arms, told):
    assert told in problems({"arms": arms}, tested=True)
