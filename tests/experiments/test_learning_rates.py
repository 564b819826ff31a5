"""Learning rates: which are good, whether the cheat-sheet's range holds, and what happens to rates that diverge."""

import pytest

from gradlab.cli.run import main
from gradlab.experiments import learning_rates
from gradlab.experiments.learning_rates import _accuracies, _against_sheet, _row, _told, arm_of, plain
from gradlab.records import RunFolder
from gradlab.stats import summarise


def reached(accuracies):
    return {rate: summarise([value, value]) for rate, value in sorted(accuracies.items())}


def test_a_range_holds_only_if_all_its_rates_are_good():
    held = reached({0.003: 0.90, 0.01: 0.95, 0.03: 0.955, 0.1: 0.95, 0.3: 0.80})
    assert _told("SGD with momentum", held) == (
        "SGD with momentum: 0.01 to 0.1 holds; good rates reach from 0.01 to 0.1."
    )
    corrected = reached({0.003: 0.95, 0.01: 0.955, 0.03: 0.95, 0.1: 0.90})
    assert _told("SGD with momentum", corrected) == (
        "SGD with momentum: 0.01 to 0.1 is corrected to 0.003 to 0.03; 2 of the 3 rates tried in the cheat-sheet's "
        "range are good."
    )
    assert "no rate of the cheat-sheet's range was tried; good rates are 1" in _told("Adam", reached({1.0: 0.9}))


def test_a_best_rate_at_the_end_of_what_was_tried_is_told():
    assert _row("Adam", reached({0.001: 0.9, 0.01: 0.95}))[1] == "0.01 (an end of what was tried)"
    assert _row("Adam", reached({0.001: 0.9, 0.01: 0.95, 0.1: 0.2}))[1] == "0.01"


def test_the_sheets_best_rate_is_compared_by_seed():
    def arm(values):
        return {"seeds": [0, 1], "metrics": {"validation_accuracy": {"values": values}}}

    arms = {arm_of("Adam", 3e-4): arm([0.90, 0.91]), arm_of("Adam", 0.003): arm([0.95, 0.96])}
    told = _against_sheet(arms, "Adam", {rate: summarise(arms[arm_of("Adam", rate)]["metrics"]["validation_accuracy"]
                                                         ["values"]) for rate in (3e-4, 0.003)})  # fmt: skip
    assert told == "Adam: 0.0003 against 0.003: −5.00 points on every seed (2 seeds)."
    assert "lies in the range" in _against_sheet(arms, "Adam", {3e-4: summarise([0.9, 0.91])})


def test_a_rate_that_lost_a_seed_is_not_good():
    arms = {arm_of("Adam", rate): {"seeds": seeds, "metrics": {"validation_accuracy": {"values": [0.9] * len(seeds)}}}
            for rate, seeds in ((0.001, [0, 1, 2]), (0.01, [0, 2]))}  # fmt: skip
    assert list(_accuracies(arms, "Adam", [0.01, 0.001], 3)) == [0.001]


@pytest.mark.parametrize(("rate", "text"), [(1e-5, "0.00001"), (0.3, "0.3"), (1.0, "1")])
def test_rates_are_written_out(rate, text):
    assert plain(rate) == text


def test_a_rate_that_diverges_belongs_to_the_answer(tmp_path, capsys):
    out = tmp_path / "run"
    words = [
        "learning_rates",
        "--quick",
        "--epochs",
        "1",
        "--optimizers",
        "SGD with momentum",
        "--rates",
        "0.1",
        "1e30",
    ]
    assert main([*words, "--seeds", "0", "1", "--together", "in a row", "--out", str(out)]) == 0
    assert "diverged" in capsys.readouterr().out
    answer = learning_rates.page(RunFolder(out))[0].text
    assert answer.startswith("SGD with momentum: 0.01 to 0.1 holds")
    assert learning_rates.page(RunFolder(out))[1].text.endswith(f": SGD with momentum at {plain(1e30)}.")
    assert "test_accuracy" not in (out / "results.json").read_text()
