"""Runs of one experiment are told apart by their folders and by the settings that differ."""

import pytest

from gradlab.records import RunFolder, write_json
from gradlab.report import Page, differing_settings, labels_of, told_apart


@pytest.fixture
def make_run(tmp_path):
    def made(folder, experiment="lenet", seeds=(0, 1), **config):
        path = tmp_path / folder
        path.mkdir(parents=True)
        settings = {"experiment": experiment, "config": config, "seeds": list(seeds), "precision": "float32"}
        write_json(path / "config.json", settings)
        return RunFolder(path)

    return made


def page(title):
    return Page(title=title, question="How far?", blocks=[])


def test_runs_of_different_experiments_keep_their_names(make_run):
    runs = [make_run("a", "lenet"), make_run("b", "resnet")]
    assert labels_of(runs) == ["lenet", "resnet"]
    assert [found.title for found in told_apart([page("lenet"), page("resnet")], runs)] == ["lenet", "resnet"]


def test_runs_of_one_experiment_have_their_folders_and_what_differs(make_run):
    runs = [make_run("a", epochs=5, rate=0.1), make_run("b", epochs=10, rate=0.1), make_run("c", "resnet", epochs=2)]
    assert labels_of(runs) == ["lenet a", "lenet b", "resnet"]
    titles = [found.title for found in told_apart([page("lenet"), page("lenet"), page("resnet")], runs)]
    assert titles == ["lenet a (epochs 5)", "lenet b (epochs 10)", "resnet"]


def test_equal_settings_leave_the_folder(make_run):
    runs = [make_run("a", epochs=5), make_run("b", epochs=5)]
    assert differing_settings(runs) == {}
    assert [found.title for found in told_apart([page("lenet")] * 2, runs)] == ["lenet a", "lenet b"]


def test_folders_of_one_name_are_told_apart_by_their_parents(make_run):
    assert labels_of([make_run("x/run"), make_run("y/run")]) == ["lenet x/run", "lenet y/run"]


def test_seeds_and_precision_are_settings_too(make_run):
    runs = [make_run("a", seeds=(0, 1), epochs=5), make_run("b", seeds=(0, 1, 2), epochs=5)]
    assert differing_settings(runs) == {"seeds": ["0, 1", "0, 1, 2"]}


def test_only_settings_that_all_runs_have_are_held_beside_each_other(make_run):
    runs = [make_run("a", epochs=5, width=3), make_run("b", "resnet", epochs=6, depth=4)]
    assert differing_settings(runs) == {"epochs": ["5", "6"]}


def test_the_same_run_twice_is_no_trouble(make_run):
    run = make_run("a", epochs=5)
    assert labels_of([run, run]) == ["lenet a", "lenet a"]
    assert [found.title for found in told_apart([page("lenet")] * 2, [run, run])] == ["lenet a", "lenet a"]
