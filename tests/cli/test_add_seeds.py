"""Seeds that are added to a finished run: trained as if they had always been there, and nothing else is."""

import json
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from gradlab.cli import add_seeds as adding
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
    done = gradlab("resume", "grown", "--add-seeds", "4", "0", "7")
    assert done.returncode == 0, done.stderr
    assert "there already, and left as they are: 4\n" in done.stderr
    assert "not an exact resume" not in done.stderr
    after = states_of(tmp_path / "grown")
    assert before.items() <= after.items(), "what was trained is read back, not trained again"
    assert len(after) > len(before)
    assert gradlab(*RUN, "--seeds", "4", "0", "7", "--out", "whole").returncode == 0
    assert results_of(tmp_path / "grown") == results_of(tmp_path / "whole")
    found = json.loads((tmp_path / "grown" / "results.json").read_text())
    assert found["arms"]["logistic regression"]["seeds"] == [0, 4, 7]
    assert found["command"] == "gradlab " + " ".join((*RUN, "--seeds", "4", "0", "7")), "it repeats all of it"


def test_what_cannot_go_on_is_left_as_it_was(gradlab, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "things" / name).mkdir(parents=True)
        for number in range(12):
            colours = np.random.default_rng(number + 50 * (name == "b")).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(colours).save(tmp_path / "things" / name / f"{number}.png")
    words = ("run", "logistic_regression", "--data", "folder:things", "--epochs", "1",
             "--batch-size", "4", "--seeds", "0", "--out", "run")  # fmt: skip
    assert gradlab(*words).returncode == 0
    left = {path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / "run").rglob("*")
            if path.is_file() and path.name not in (".lock", "digests.sealed")}  # fmt: skip
    (tmp_path / "things").rename(tmp_path / "moved")
    done = gradlab("resume", "run", "--add-seeds", "1")
    assert done.returncode == 69
    assert done.stderr.rstrip().endswith("the run is finished as it was before")
    for path, content in left.items():
        assert (tmp_path / path).read_bytes() == content, path
    assert "finished already" in gradlab("resume", "run").stdout
    (tmp_path / "moved").rename(tmp_path / "things")
    assert gradlab("resume", "run", "--add-seeds", "1").returncode == 0
    assert not (tmp_path / "run" / "earlier").exists()


def finished(path, name="logistic_regression", seeds=(0, 1)):
    options = {flag.key: flag.default for flag in FLAGS} | {"quick": True, "seeds": seeds}
    path.mkdir(parents=True)
    write_json(path / "config.json", complete_settings(settings_of(name, "?", options, {})))
    for file in ("results.json", "environment.json", "rows.jsonl", "report.html", "report.pdf"):
        (path / file).write_text("{}")
    run = RunFolder(path)
    run.seal(finished=True)
    return run


def group(path):
    runs = [finished(path / name, name) for name in GROUPS["slides"]]
    write_json(path / "group.json", {"group": "slides"})
    return runs


def grown(folder, seeds):
    """Adds seeds without training; returns the settings of the runs that would be trained."""
    wanted = []
    with mock.patch.object(adding, "execute_held", lambda run, **_options: wanted.append(run.document("config")) or 0):
        assert add_seeds(folder, seeds, quiet=True, as_json=False) == 0
    return wanted


def test_every_run_of_a_group_gets_what_it_lacks(tmp_path):
    runs = group(tmp_path)
    settings = runs[0].document("config")
    write_json(runs[0].path / "config.json", {**settings, "seeds": [0, 1, 5]})  # as if killed after the first run
    runs[0].seal(finished=True)
    found = grown(RunFolder(tmp_path), (5,))
    assert [about["experiment"] for about in found] == list(GROUPS["slides"])[1:]
    assert all(about["seeds"] == [0, 1, 5] for about in found)
    assert runs[0].is_complete


def test_a_group_s_report_that_grew_old_is_told(tmp_path, monkeypatch, capsys):
    member, *_ = group(tmp_path / "all")
    monkeypatch.chdir(tmp_path)
    grown(member, (5,))
    assert "the report of its group is older now: `gradlab report all` writes it anew" in capsys.readouterr().err
    group(tmp_path / "others")
    grown(RunFolder(tmp_path / "others"), (6,))  # its report follows by itself
    grown(finished(tmp_path / "alone" / "run"), (5,))
    assert "its group" not in capsys.readouterr().err


@pytest.mark.parametrize(("seeds", "message"), [
    ((1,), "has the seeds 0 1 already: name others than 1"), ((1, 0), "already: name others than 1 0"),
    ((2, 2), "different numbers of at least 0: got 2 2"), ((-1,), "different numbers of at least 0: got -1"),
])  # fmt: skip
def test_impossible_seeds_are_refused_and_change_nothing(seeds, message, tmp_path):
    run = finished(tmp_path / "run")
    with pytest.raises(UsageError, match=message):
        grown(run, seeds)
    assert run.is_complete
    assert run.document("config")["seeds"] == [0, 1]


def test_one_run_that_cannot_have_them_keeps_the_group_as_it_is(tmp_path):
    runs = group(tmp_path)
    (runs[-1].path / "results.json").unlink()
    with pytest.raises(UsageError, match=f"{runs[-1].path} is not finished: `gradlab resume {tmp_path}` first"):
        grown(RunFolder(tmp_path), (6,))
    assert runs[0].document("config")["seeds"] == [0, 1]


def test_settings_of_another_version_are_refused_before_anything_is_changed(tmp_path):
    run = finished(tmp_path / "run")
    settings = run.document("config")
    write_json(run.path / "config.json", {**settings, "config": {**settings["config"], "gone": 1}})
    run.seal(finished=True)
    with pytest.raises(FileError, match=r"does not fit the experiment: it differs in \['gone'\]"):
        grown(run, (5,))
    assert run.is_complete


def test_a_run_that_the_flag_swallowed_is_asked_for_in_front_of_it(gradlab):
    told = gradlab("resume", "--add-seeds", "1", "run").stderr
    assert "required: RUN, before flags that take several values; see" in told
    assert gradlab("data", "fetch").stderr.startswith("gradlab: the following arguments are required: NAME; see")


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(FileError, match=r"is .* a gradlab run"):
        grown(RunFolder(tmp_path), (5,))
