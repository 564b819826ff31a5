"""Seeds that are added to a finished run: trained as if they had always been there, and nothing else is."""

import json

import pytest

from gradlab.cli.add_seeds import add_seeds
from gradlab.cli.run import FLAGS, settings_of
from gradlab.cli.settings import complete_settings
from gradlab.errors import FileError, UsageError
from gradlab.experiments import GROUPS
from gradlab.records import RunFolder, write_json

RUN = ("run", "logistic_regression", "--quick", "--epochs", "2")


def results_of(folder):
    weights = {path.name: path.read_bytes() for path in (folder / "weights").iterdir()}
    return sorted((folder / "rows.jsonl").read_text().splitlines()), weights


def states_of(folder):
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.glob("state/**/*.state")}


def test_a_run_with_added_seeds_is_the_run_of_all_of_them(gradlab, tmp_path):
    assert gradlab(*RUN, "--seeds", "4", "--out", "grown").returncode == 0
    before = states_of(tmp_path / "grown")
    done = gradlab("resume", "grown", "--add-seeds", "0", "7")
    assert done.returncode == 0, done.stderr
    assert "not an exact resume" not in done.stderr
    after = states_of(tmp_path / "grown")
    assert before.items() <= after.items(), "what was trained is read back, not trained again"
    assert len(after) > len(before)
    assert gradlab(*RUN, "--seeds", "4", "0", "7", "--out", "whole").returncode == 0
    assert results_of(tmp_path / "grown") == results_of(tmp_path / "whole")
    found = json.loads((tmp_path / "grown" / "results.json").read_text())
    assert found["arms"]["logistic regression"]["seeds"] == [0, 4, 7]
    assert found["command"].endswith("--out grown && gradlab resume grown --add-seeds 0 7")


def finished(path, name="logistic_regression", seeds=(0, 1)):
    options = {flag.key: flag.default for flag in FLAGS} | {"quick": True, "seeds": seeds}
    path.mkdir(parents=True)
    write_json(path / "config.json", complete_settings(settings_of(name, "?", options, {})))
    for file in ("results.json", "report.html", "report.pdf"):
        (path / file).write_text("{}")
    run = RunFolder(path)
    run.seal(finished=True)
    return run


def group(path):
    runs = [finished(path / name, name) for name in GROUPS["slides"]]
    write_json(path / "group.json", {"group": "slides"})
    return runs


def test_every_run_of_a_group_gets_them(tmp_path):
    runs = group(tmp_path)
    add_seeds(RunFolder(tmp_path), (5,))
    for run in runs:
        assert run.document("config")["seeds"] == [0, 1, 5]
        assert not run.is_complete


@pytest.mark.parametrize("seeds", [(1,), (2, 2), (-1,), (3, 0)])
def test_impossible_seeds_are_refused_and_change_nothing(seeds, tmp_path):
    run = finished(tmp_path / "run")
    with pytest.raises(UsageError, match=r"different numbers of at least 0 beside the seeds 0 1: got "):
        add_seeds(run, seeds)
    assert run.is_complete
    assert run.document("config")["seeds"] == [0, 1]


def test_one_run_that_cannot_have_them_keeps_the_group_as_it_is(tmp_path):
    runs = group(tmp_path)
    settings = runs[-1].document("config")
    runs[-1].reopen({**settings, "seeds": [0, 1, 5]})
    (runs[-1].path / "results.json").write_text("{}")
    with pytest.raises(UsageError, match="beside the seeds 0 1 5"):
        add_seeds(RunFolder(tmp_path), (5,))
    assert all(run.is_complete for run in runs)
    (runs[-1].path / "results.json").unlink()
    with pytest.raises(UsageError, match=f"{runs[-1].path} is not finished: `gradlab resume {tmp_path}` first"):
        add_seeds(RunFolder(tmp_path), (6,))
    assert runs[0].document("config")["seeds"] == [0, 1]


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(FileError, match=r"is .* a gradlab run"):
        add_seeds(RunFolder(tmp_path), (5,))


def test_a_run_that_somebody_holds_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("gradlab.records.folder.LOCK_SECONDS", 0.05)
    run = finished(tmp_path / "run")
    with run.locked(), pytest.raises((FileError, RuntimeError)):
        add_seeds(RunFolder(tmp_path / "run"), (5,))
    assert run.is_complete
