"""Help is quick, says what there is, and never loads torch."""

import json
import resource
import subprocess
import sys

import pytest

from gradlab.cli import VERBS


@pytest.mark.parametrize(
    "words", [("--help",), ("run", "--help"), ("run", "lenet", "--help"), ("data", "--help"), ("list",)]
)
def test_help_does_not_import_torch(words):
    program = (
        "import sys\n"
        "from gradlab.cli import main\n"
        "try:\n"
        f"    code = main({list(words)!r})\n"
        "except SystemExit as end:\n"
        "    code = end.code\n"
        "assert not code, code\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_help_takes_less_than_a_quarter_second():
    times = []
    for _ in range(5):
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "gradlab", "run", "lenet", "--help"], check=True, capture_output=True)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)  # the clock on the wall would measure other programs too
        times.append(end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime)
    assert min(times) < 0.25


def test_the_overview_names_every_command_and_the_exit_codes(gradlab):
    text = gradlab("--help").stdout
    for verb in VERBS:
        assert f"  {verb}" in text
    assert "130 and 143 interrupted" in text


def test_every_field_of_an_experiment_is_a_flag(gradlab):
    text = gradlab("run", "lenet", "--help").stdout
    for flag in (
        "--epochs",
        "--arms ARM [ARM ...]",
        "any of slides, recommended",
        "--recommended-learning-rate",
        "--translate",
        "--seeds",
    ):
        assert flag in text
    assert "Source: the slides" in text


def test_list_has_every_question(gradlab):
    found = json.loads(gradlab("list", "--json").stdout)["experiments"]
    assert {entry["name"] for entry in found} >= {"lenet", "logistic_regression", "mlp_mnist"}
    assert all(entry["question"].endswith("?") for entry in found)
