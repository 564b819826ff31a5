"""Goals of the performance page."""

import json

import pytest

from tools.performance_goals import GOALS, Goal
from tools.performance_page import RESULTS


@pytest.mark.parametrize(
    ("found", "most", "told"),
    [(1.994, False, "missed"), (1.996, False, "met"), (2.004, True, "met"), (2.006, True, "missed")],
)
def test_a_goal_is_judged_by_the_figures_that_are_shown(found, most, told):
    assert Goal("speed", 2.0, found, most=most).row()[3] == told


def test_bounds_are_told():
    assert Goal("overhead", 15.0, 16.26, " µs", most=True).row() == ("overhead", "at most 15.0 µs", "16.3 µs", "missed")


def test_the_goals_of_seeds_together_by_hand():
    """On two cores: 0.95 of both, and 0.95 of the 4/3 that are left beside a program."""
    about = {
        "speed_to_in_a_row": {"in a row": 1.0, "processes": 1.5, "stacked": 2.5},
        "steady_processes_to_in_a_row": 1.95,
        "wall_seconds": {"in a row": [9.0, 9.9], "processes": [6.0, 6.6], "stacked": [4.0, 5.0], "auto": [4.12, 5.15]},
        "beside_another_program": {"processes_to_seeds_times_one": 1.2},
    }  # fmt: skip
    found = {"cores": 2, "networks": {"MLP": about, "LeNet": about}}
    rows = [goal.row() for goal in GOALS["seeds_together"](found)]
    assert rows[:5] == [
        ("MLP, processes", "at least 1.90 x", "1.50 x", "missed"),
        ("MLP, processes once started", "at least 1.90 x", "1.95 x", "met"),
        ("MLP, processes beside a program", "at least 1.27 x", "1.20 x", "missed"),
        ("MLP, stacked", "at least 2.00 x", "2.50 x", "met"),
        ("MLP, `auto` behind the best way", "at most 5.0 %", "3.0 %", "met"),
    ]
    assert not [row for row in rows[5:] if "stacked" in row[0]], "convolutions are not asked to gain from a stack"


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_bench_with_goals_tells_some(path):
    if path.stem in GOALS:
        assert [goal.row() for goal in GOALS[path.stem](json.loads(path.read_text()))]
