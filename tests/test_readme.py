"""The README says what is true: its table comes from the result files, its commands exist."""

import re
import shlex
import subprocess
import sys

import pytest

from gradlab.cli import VERBS
from gradlab.cli.fields import outline
from gradlab.cli.run import FLAGS
from gradlab.experiments import GROUPS, experiment_names, source_of
from tools import performance_page
from tools.costs_table import COSTS, page
from tools.results_table import ROOT, with_table

README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^gradlab .*$", README, re.MULTILINE)


def test_the_table_is_that_of_the_result_files():
    assert with_table(README) == README, "run: python -m tools.results_table"


def test_the_costs_are_those_of_the_result_files():
    assert COSTS.read_text() == page(), "run: python -m tools.costs_table"


def test_the_speeds_are_those_of_the_benches():
    assert performance_page.PAGE.read_text() == performance_page.page(), "run: python -m tools.performance_page"


@pytest.mark.parametrize("name", experiment_names())
def test_the_cost_of_an_experiment_is_where_it_says(name):
    (told,) = re.findall(r"^Cost: (.*)$", source_of(name).read_text(), re.MULTILINE)
    entry = re.fullmatch(r'see LOG.md, entry "(.*)"\.', told)
    if entry is None:
        assert told == f"not run in full yet; `gradlab run {name} --dry-run` estimates it."
    else:
        assert re.search(rf"^## .*{re.escape(entry[1])}", (ROOT / "LOG.md").read_text(), re.MULTILINE)


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
