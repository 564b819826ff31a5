"""Paths of optimisers: the handbook's check and end point, and commands on a run without data and networks."""

import json

import pytest
import torch

from gradlab.cli import report, resume
from gradlab.cli.run import main
from gradlab.experiments import optimizer_paths
from gradlab.experiments.optimizer_paths import Config, rosenbrock, walk
from gradlab.optim import pathological_curve_loss
from gradlab.records import RunFolder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("paths") / "run"
    assert main(["optimizer_paths", "--quick", "--quiet", "--out", str(out)]) == 0
    return RunFolder(out)


def test_momentum_ends_where_the_handbook_says(finished):
    found = finished.document("results")["arms"]["SGD with momentum"]["metrics"]
    assert found["ravine_w1"]["values"] == [pytest.approx(-0.0119, abs=2e-4)]
    assert found["ravine_w2"]["values"] == [pytest.approx(-13.0727, abs=2e-4)]
    points = walk("SGD with momentum", pathological_curve_loss, 10.0, 100, (5.0, 5.0))
    assert points[-2].tolist() == [pytest.approx(value, abs=1e-4) for value in (0.0406, -13.0712, 0.0021)]
    assert int((points[:, 1] < -7.5).argmax()) == 43


def test_the_answer_names_end_points_and_the_gain(finished):
    answer = optimizer_paths.page(finished)[0].text
    assert "ends at (−0.012, −13.073)" in answer
    assert "never passes w2 = −7.5" in answer
    assert "times less with momentum" in answer


def test_the_valley_is_lowest_where_it_says():
    point = torch.ones(2, requires_grad=True)
    loss = rosenbrock(point[0], point[1])
    loss.backward()
    assert loss.item() == 0
    assert point.grad.tolist() == [0, 0]


def test_the_best_rate_is_the_one_drawn(finished):
    rows = finished.rows()
    for name in optimizer_paths.OPTIMIZERS:
        tried = [row["loss"] for row in rows if "learning_rate" in row and row["arm"] == name]
        finite = [loss for loss in tried if loss is not None]
        ends = [row["loss"] for row in rows if row.get("surface") == "valley" and row.get("step") == 60
                and row["arm"] == name]  # fmt: skip
        assert ends == [min(finite)]
        assert len(tried) == len(optimizer_paths._rates(Config(rates_per_decade=2)))


def test_a_dry_run_says_that_nothing_is_trained(capsys):
    assert main(["optimizer_paths", "--quick", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "data:     none" in told
    assert "it trains no network" in told


def test_it_can_be_reported_again_and_resumed(finished, capsys):
    before = (finished.path / "report.html").read_bytes()
    assert report.main([str(finished.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["html"].endswith("report.html")
    assert (finished.path / "report.html").read_bytes() == before
    (finished.path / "report.html").unlink()
    (finished.path / "results.json").unlink()
    assert resume.main([str(finished.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"]["exact"] is True
    assert (finished.path / "report.html").is_file()
