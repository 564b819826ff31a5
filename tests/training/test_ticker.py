"""What a step costs: the mean over the steps that are warm."""

from types import SimpleNamespace

import pytest

from gradlab.training import ticker
from gradlab.training.ticker import COLD_STEPS, StepClock


def measured(monkeypatch, first: int, last: int, *, before: float | None = None) -> float | None:
    """Of an epoch whose first three steps take 10 s each and all later ones 1 s."""
    now = 0.0
    monkeypatch.setattr(ticker.time, "perf_counter", lambda: now)
    training = SimpleNamespace(step_seconds=before)
    clock = StepClock(training, first, last)
    for step in range(first, last):
        clock.begin(step)
        now += 10.0 if step - first < COLD_STEPS else 1.0
    clock.end()
    return training.step_seconds


@pytest.mark.parametrize(("first", "last"), [(0, 4), (0, 100), (50, 100), (96, 100)])
def test_cold_steps_do_not_count_wherever_an_epoch_goes_on(monkeypatch, first, last):
    assert measured(monkeypatch, first, last) == pytest.approx(1.0)


@pytest.mark.parametrize("last", [1, 2, 3])
def test_an_epoch_of_cold_steps_only_tells_what_they_cost(monkeypatch, last):
    assert measured(monkeypatch, 0, last) == pytest.approx(10.0)


def test_later_epochs_are_warm_from_the_start(monkeypatch):
    assert measured(monkeypatch, 0, 4, before=1.0) == pytest.approx((3 * 10 + 1) / 4)


def test_an_epoch_without_steps_tells_nothing(monkeypatch):
    assert measured(monkeypatch, 5, 5) is None
