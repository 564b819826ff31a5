"""Exclusive or at its usual settings: what the handbook asks for, in numbers, pictures and TensorBoard's events."""

import json

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gradlab.cli import predict
from gradlab.cli.run import main
from gradlab.errors import UsageError
from gradlab.experiments import xor
from gradlab.models import SimpleClassifier
from gradlab.records import RunFolder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("xor") / "run"
    assert main(["xor", "--quiet", "--together", "in a row", "--out", str(out)]) == 0
    return RunFolder(out)


def test_every_seed_is_right_for_999_of_1000_points(finished):
    accuracies = finished.document("results")["arms"][xor.ARM]["metrics"]["test_accuracy"]["values"]
    assert len(accuracies) == 3
    assert sum(accuracies) / 3 >= 0.999
    assert finished.document("results")["arms"][xor.ARM]["parameters"] == 17


def test_the_boundary_is_kept_with_x1_along_the_columns(finished):
    arrays = finished.arrays(xor.ARM)
    grid = arrays["seed_0"]
    for (x1, x2), label in zip(arrays["points"], arrays["labels"], strict=True):
        column, row = (round((x + 0.5) / 2 * (len(grid) - 1)) for x in (x1, x2))
        assert (grid[row, column] > 0.5) == (label == 1)


def test_x1_runs_along_the_columns_also_where_the_classes_are_not_symmetric():
    model = SimpleClassifier(2, 1, 1)
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), ([[5.0, 0.0]], [0.0], [[5.0]], [0.0]), strict=True):
            parameter.copy_(torch.tensor(values))
    found = xor.probabilities(model, 5)
    assert (np.diff(found, axis=1) > 0).all()
    # Vectors of a processor and what is left beside them round the last bit of a sigmoid differently.
    assert np.abs(np.diff(found, axis=0)).max() <= np.finfo(np.float32).eps


def test_train_and_test_points_differ():
    parts = xor.draw_points(xor.Config())
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [2500, 500, 500]
    assert not torch.equal(parts["train"].label[:500], parts["test"].label)


def test_tensorboard_has_graph_scalars_and_picture(finished):
    graph = EventAccumulator(str(finished.board / "one-hidden-layer-graph"))
    graph.Reload()
    assert any("linear1" in node.name for node in graph.Graph().node)
    seed = EventAccumulator(str(finished.board / "one-hidden-layer-0"))
    seed.Reload()
    assert len(seed.Scalars("loss/train")) == 100
    assert seed.Images("predictions")[0].width == 700


def test_its_data_is_told_and_pictures_are_no_points(finished, tmp_path):
    data = finished.document("environment")["data"]
    assert data["sizes"] == {"train": 2500, "validation": 500, "test": 500}
    assert "2,500 train, 500 validation, 500 test" in (finished.path / "report.html").read_text()
    with pytest.raises(UsageError, match="predict is for image classifiers"):
        predict.main([str(finished.path), str(tmp_path / "a.png")])


def test_a_dry_run_tells_its_size(capsys):
    assert main(["xor", "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["arms"][xor.ARM]["parameters"] == 17
    assert document["data"]["shape"] == [2]


def test_it_runs_in_double_precision(tmp_path, capsys):
    words = [
        "xor",
        "--quick",
        "--epochs",
        "2",
        "--seeds",
        "0",
        "--precision",
        "float64",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main(words) == 0
    capsys.readouterr()
    assert {row["split"] for row in RunFolder(tmp_path / "run").rows()} == {"train", "validation", "test"}
