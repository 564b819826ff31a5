"""Blocks and sentences of classification experiments."""

from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.records import RunFolder, write_json
from gradlab.report import (
    beside_published,
    best_validated,
    classification_blocks,
    comparison_sentence,
    error_sentence,
    results,
    ties_told,
    with_error,
)
from gradlab.report.blocks import MOST_CLASSES, ConfusionMatrix, Pictures, Table
from gradlab.report.figures import figure_csv


def document(accuracies):
    rows = [
        {"arm": arm, "seed": seed, "split": "test", "accuracy": value}
        for arm, values in accuracies.items()
        for seed, value in enumerate(values)
    ]
    return results(
        rows, experiment="x", command="x", environment={}, seconds=1.0, parameters={arm: 7 for arm in accuracies}
    )


def test_error_is_one_minus_accuracy_and_nothing_else_changes():
    rows = [{"arm": "a", "accuracy": 0.75, "loss": 1.0}, {"arm": "a", "loss": 2.0}, {"arm": "a", "accuracy": None}]
    assert with_error(rows) == [{"arm": "a", "accuracy": 0.75, "loss": 1.0, "error": 0.25}, *rows[1:]]


def test_sentences_have_numbers_and_never_oversell():
    text = comparison_sentence(document({"old": [0.90, 0.91, 0.92], "new": [0.95, 0.96, 0.97]}))
    assert "old 9.0 %" in text
    assert "new 4.0 %" in text
    assert "(n = 3)" in text
    assert "run at least 6 seeds" in text
    assert "is better" not in text
    assert error_sentence(document({"old": [0.90, 0.91, 0.92]}), "old").startswith("The test error of old is 9.0 %")


def test_published_figures_stand_beside_ours():
    reached = document({"a": [0.95, 0.951], "b": [0.8, 0.81], "c": [0.9, 0.9]})
    sentence, chart, table = beside_published(reached, {"a": 0.12, "b": 0.03}, "c", source="Somebody 1998")
    assert sentence.startswith("1 of 2 networks stay below the error of Somebody 1998.")
    assert "validates best, c," in sentence
    assert [point.reference for point in chart.points] == [0.12, 0.03, None]
    assert [row[1] for row in table.rows] == ["12.00 %", "3.00 %", "-"]


def test_where_one_network_was_trained_none_is_said_to_be_the_best():
    sentence, _chart, _table = beside_published(document({"a": [0.9, 0.9]}), {}, "a", source="Somebody 1998")
    assert sentence == "a has a test error of 10.00 % on every seed (n = 2)."


def run_with(rows, **best_epochs):
    """What there is of a run to choose an arm by: its rows, and the epoch whose weights each arm's first seed kept."""
    arms = {arm: {"best_epochs": {"0": epoch}} for arm, epoch in best_epochs.items()}
    return SimpleNamespace(rows=lambda: rows, document=lambda name: {"environment": {"arms": arms}}[name])


def test_the_best_arm_is_chosen_by_validation_alone():
    rows = [
        {"arm": "a", "seed": 0, "epoch": 1, "split": "validation", "accuracy": 0.9},
        {"arm": "a", "seed": 0, "epoch": 2, "split": "validation", "accuracy": 0.6},
        {"arm": "b", "seed": 0, "epoch": 2, "split": "validation", "accuracy": 0.7},
        {"arm": "a", "seed": 0, "split": "test", "accuracy": 1.0},
    ]
    assert best_validated(run_with(rows), ["a", "b"]) == "b"


def test_an_arm_is_judged_by_the_weights_that_were_kept():
    rows = [
        {"arm": arm, "seed": 0, "epoch": epoch, "split": "validation", "accuracy": accuracy}
        for arm, curve in {"a": [0.8, 0.95, 0.82], "b": [0.8, 0.84, 0.85]}.items()
        for epoch, accuracy in enumerate(curve, start=1)
    ]
    assert best_validated(run_with(rows, a=2, b=3), ["b", "a"]) == "a"
    assert best_validated(run_with(rows, a=None, b=None), ["b", "a"]) == "b", "without a selection, the last epoch's"
    after = [{"arm": "b", "seed": 0, "split": "validation", "accuracy": 0.96}]
    assert best_validated(run_with(after + rows, a=2, b=3), ["b", "a"]) == "b", (
        "measured on the kept weights themselves"
    )
    assert ties_told(run_with(rows, a=2, b=3), ["a", "b"]) == ""


def test_the_best_arm_by_a_metric_below_zero_is_one_that_was_measured():
    rows = [
        {"arm": arm, "seed": 0, "epoch": 1, "split": "validation", "elbo": elbo}
        for arm, elbo in {"a": -110.0, "b": -100.0}.items()
    ]
    assert best_validated(run_with(rows), ["unmeasured", "a", "b"], metric="elbo") == "b"


def validated(metric, **reached):
    return [
        {"arm": arm, "seed": seed, "epoch": 1, "split": "validation", metric: value}
        for arm, values in reached.items()
        for seed, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("metric", "reached", "told"),
    [
        # 0.1 + 0.7 and 0.5 + 0.3 differ in the last digit.
        ("accuracy", {"a": [0.2], "b": [0.1, 0.7], "c": [0.5, 0.3]}, "b validates just as well as c"),
        ("accuracy", {"a": [0.98502], "b": [0.98504], "c": [0.985]}, "a and c validate just as well as b"),
        ("accuracy", {"a": [0.9851], "b": [0.985]}, ""),
        ("elbo", {"a": [-101.00002], "b": [-101.0]}, ""),
        ("elbo", {"a": [-101.0], "b": [-101.0]}, "b validates just as well as a"),
        ("loss", {"a": [0.1], "b": [0.1]}, ""),
    ],
)
def test_arms_that_validate_equally_well_are_named(metric, reached, told):
    rows = validated(metric, **reached)
    found = ties_told(run_with(rows), list(reached), metric="accuracy" if metric == "loss" else metric)
    assert (found == "") == (told == "")
    assert found.startswith(told)


def kept(tmp_path, *, channels=3, classes=("cat", "dog"), files=None):
    """A run's folder with one network's pictures and confusion."""
    run = RunFolder(tmp_path)
    write_json(tmp_path / "environment.json", {"data": {"classes": list(classes)}})
    write_json(tmp_path / "results.json", document({"net": [0.5, 0.5]}))
    pixels = np.arange(2 * channels * 4, dtype=np.uint8).reshape(2, channels, 2, 2)
    picked = {"true": np.array([0, 1]), "predicted": np.array([0, 0]), "probability": np.array([0.9, 0.8], np.float32)}
    arrays = {f"{kind}_{name}": value for kind in ("sample", "mistake") for name, value in picked.items()}
    if files is not None:
        arrays |= {f"{kind}_files": np.array(files) for kind in ("sample", "mistake")}
    run.write_arrays("net", confusion=np.array([[1, 0], [1, 0]]), sample_pixels=pixels, mistake_pixels=pixels, **arrays)
    return run, pixels


@pytest.mark.parametrize("channels", [1, 3])
def test_blocks_from_what_a_run_kept(tmp_path, channels):
    run, pixels = kept(tmp_path, channels=channels)
    samples, mistakes, confusion = classification_blocks(run, "net")
    assert isinstance(samples, Pictures)
    assert isinstance(mistakes, Pictures)
    assert isinstance(confusion, ConfusionMatrix)
    assert list(samples.captions) == ["cat (90 %)", "cat (80 %), is dog"]
    expected = pixels[:, 0] if channels == 1 else pixels.transpose(0, 2, 3, 1)
    assert np.array_equal(samples.images, expected)
    assert "2 seeds added up" in confusion.title


@pytest.mark.parametrize(("count", "kind"), [(MOST_CLASSES, ConfusionMatrix), (MOST_CLASSES + 1, Table)])
def test_more_classes_than_a_matrix_shows_have_their_mistakes_listed(tmp_path, count, kind):
    run, _pixels = kept(tmp_path, classes=[f"class {number}" for number in range(count)])
    confusion = np.eye(count, dtype=np.int64)
    confusion[3, 7], confusion[7, 3] = 5, 9
    run.write_arrays("net", **{**run.arrays("net"), "confusion": confusion})
    last = classification_blocks(run, "net")[-1]
    assert isinstance(last, kind)
    if isinstance(last, Table):
        assert list(last.rows) == [("class 7", "class 3", "9"), ("class 3", "class 7", "5")]
        assert "2 seeds added up" in last.caption


@pytest.mark.parametrize(("name", "columns"), [("airplane", 8), ("automobile", 6), ("dog or automobile", 6)])
def test_long_class_names_get_wider_pictures(tmp_path, name, columns):
    samples, *_ = classification_blocks(kept(tmp_path, classes=("cat", name))[0], "net")
    assert isinstance(samples, Pictures)
    assert samples.columns == columns


def test_pictures_of_a_folder_have_the_names_of_their_files(tmp_path):
    paths = ["cat/1.png", "dog/deep/a_name_of_many_letters.jpeg"]
    samples, *_ = classification_blocks(kept(tmp_path, files=paths)[0], "net")
    assert isinstance(samples, Pictures)
    assert list(samples.captions) == ["cat (90 %)\n1.png", "cat (80 %), is dog\na_name_…ers.jpeg"]
    assert len("a_name_…ers.jpeg") == 16
    assert samples.columns == 6
    assert figure_csv(samples).splitlines()[0] == "picture,caption,file"
    assert figure_csv(samples).splitlines()[-1].endswith(paths[1])


def test_nothing_kept_nothing_shown(tmp_path):
    assert classification_blocks(RunFolder(tmp_path), "net") == []
