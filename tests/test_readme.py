"""The README says what is true: its table comes from the result files, its commands exist."""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gradlab.cli import VERBS
from gradlab.cli.fields import outline
from gradlab.cli.run import FLAGS
from gradlab.experiments import GROUPS, experiment_names, source_of
from tools import performance_page
from tools.costs_table import COSTS, TOLD, flags, line, page, runs
from tools.results_table import NAMED, RESULTS, SEVERAL, settings, short_table, with_table
from tools.results_table import page as results_page

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^gradlab .*$", README, re.MULTILINE)


def test_the_table_is_that_of_the_result_files():
    assert with_table(README, runs()) == README, "run: python -m tools.results_table"


def test_the_page_of_results_is_that_of_the_result_files():
    assert RESULTS.read_text() == results_page(runs()), "run: python -m tools.results_table"


def test_the_table_has_rows_for_each_experiment_and_the_page_one_for_each_arm():
    tested = [(document["experiment"], arm) for document in runs().values() for arm, about in
              document["arms"].items() if any(metric.startswith("test_") for metric in about["metrics"])]  # fmt: skip
    rows = [line.removeprefix("| ").split(" | ") for line in short_table(runs()).splitlines()[2:]]
    assert list(dict.fromkeys(row[0] for row in rows)) == list(dict.fromkeys(experiment for experiment, _ in tested))
    assert len(rows) == len({row[0] for row in rows}) + sum(len(files) - 1 for files in SEVERAL.values())
    rows = [line.removeprefix("| ").split(" | ") for line in results_page(runs()).splitlines() if line[:2] == "| "]
    assert [(row[0], row[1]) for row in rows[1:]] == tested


def test_the_arms_of_the_table_are_not_chosen_by_what_they_reached():
    def table(*reached):
        arms = {arm: {"parameters": 1, "metrics": {"test_accuracy": {"values": [share, share + 0.01]}}}
                for arm, share in zip(("first", "second", "third"), reached, strict=True)}  # fmt: skip
        document = {
            "experiment": "fresh",
            "command": "gradlab run fresh",
            "environment": {"data": {"name": "digits"}},
            "arms": arms,
        }
        return short_table({"fresh-2-epochs.json": document, "fresh-5-epochs.json": document})

    (row,) = table(0.5, 0.6, 0.9).splitlines()[2:]
    told = re.sub(r"[^a-z]*%[^<|]*", "", row)
    assert told == "| fresh | digits | first<br>second| default | fresh-2-epochs.json |"
    assert re.sub(r"[^a-z]*%[^<|]*", "", table(0.9, 0.6, 0.5).splitlines()[2]) == told


def test_arms_named_for_the_table_are_those_of_experiments():
    assert set(NAMED) | set(SEVERAL) <= set(experiment_names())
    assert not set(NAMED) & set(SEVERAL)


@pytest.mark.parametrize("experiment", SEVERAL)
def test_files_named_for_the_table_are_runs_of_the_experiment(experiment):
    for file, arms in SEVERAL[experiment].items():
        assert runs()[file]["experiment"] == experiment
        assert f"| {file} |" in README
        for arm in arms:
            assert arm in runs()[file]["arms"]


def test_the_table_tells_by_which_settings_a_run_differed():
    asked = "gradlab run fresh --arms A B --epochs 25 --train-images 900 --seeds 0 1 --precision bfloat16 --no-flip"
    assert settings({"command": asked}) == "`--epochs 25 --train-images 900 --no-flip`"
    assert settings({"command": "gradlab run fresh --data mnist --together 'in a row' --out there"}) == "default"


@pytest.mark.parametrize("file", runs())
def test_a_run_without_flags_for_epochs_or_images_has_those_of_todays_default(file):
    """So that a default that changes later does not make the table say something else."""
    document = runs()[file]
    default = importlib.import_module(f"gradlab.experiments.{document['experiment']}").Config()
    trained = {about["recipe"]["epochs"] for about in document["environment"]["arms"].values() if about.get("recipe")}
    if trained and "--epochs" not in settings(document):
        assert default.epochs in trained
    images = getattr(default, "train_images", 0)
    if images and "--train-images" not in settings(document):
        sizes = document["environment"]["data"]["sizes"]
        assert images in (sizes["train"], sizes["train"] + sizes["validation"])


def test_the_costs_are_those_of_the_result_files():
    assert COSTS.read_text() == page(), "run: python -m tools.costs_table"


def test_the_speeds_are_those_of_the_benches():
    assert performance_page.PAGE.read_text() == performance_page.page(), "run: python -m tools.performance_page"


@pytest.mark.parametrize("name", experiment_names())
def test_the_cost_of_an_experiment_is_that_of_its_result_file(name):
    (told,) = TOLD.findall(source_of(name).read_text())
    assert told == line(name) + "\n", "run: python -m tools.costs_table"


@pytest.mark.parametrize("name", experiment_names())
def test_a_cost_without_flags_is_that_of_the_default_settings(name):
    """So that a subset's cost does not pass for a full run's."""
    told = " ".join(line(name).split())
    if "results/" not in told:
        return
    file = re.search(r"results/(.*\.json)", told)[1]
    asked = {word for word in shlex.split(flags(runs()[file])) if word.startswith("--")}
    assert asked == set(re.findall(r"(?<=[ `])--[\w-]+", told))
    assert asked or Path(file).name == f"{name}.json"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists(command):
    words = shlex.split(command.partition("#")[0])[1:]
    assert words[0] in VERBS
    if words[0] == "run":
        assert words[1] in (*experiment_names(), *GROUPS)
        if words[1] in GROUPS:
            return
        known = {flag.name for flag in (*FLAGS, *outline(source_of(words[1])).fields)}
        assert {word for word in words if word.startswith("--")} <= known


def test_the_python_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    program = example.replace("print(rows[-1], trained.way.reason)", "assert len(trained.models) == 3")
    assert program != example
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_there_are_commands_to_check():
    assert len(COMMANDS) > 8
