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


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_bench_with_goals_tells_some(path):
    if path.stem in GOALS:
        assert [goal.row() for goal in GOALS[path.stem](json.loads(path.read_text()))]
