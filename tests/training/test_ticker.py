"""What a step costs: the mean over the steps that are warm."""

from types import SimpleNamespace

import pytest

from gradlab.training import ticker
from gradlab.training.ticker import COLD_STEPS, StepClock


def measured(monkeypatch, first: int, last: int, *, before: float | None = None, device: str = "cpu") -> float | None:
    """Of an epoch whose first three steps take 10 s each and all later ones 1 s.

    An accelerator is asked for all of them at once, and takes its time when it is waited for.
    """
    now = asked = 0.0

    def wait(_device):
        nonlocal now, asked
        now, asked = now + asked, 0.0

    monkeypatch.setattr(ticker.time, "perf_counter", lambda: now)
    monkeypatch.setattr(ticker, "wait_for", wait)
    training = SimpleNamespace(step_seconds=before, step_in_epoch=first)
    clock = StepClock(SimpleNamespace(place=SimpleNamespace(device=device)), training, last)
    for step in range(first, last):
        clock.begin(step)
        asked += 10.0 if step - first < COLD_STEPS else 1.0
        if device == "cpu":
            wait(device)
    clock.end()
    return training.step_seconds


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(("first", "last"), [(0, 4), (0, 100), (50, 100), (96, 100)])
def test_cold_steps_do_not_count_wherever_an_epoch_goes_on(monkeypatch, first, last, device):
    assert measured(monkeypatch, first, last, device=device) == pytest.approx(1.0)


@pytest.mark.parametrize("last", [1, 2, 3])
def test_an_epoch_of_cold_steps_only_tells_what_they_cost(monkeypatch, last):
    assert measured(monkeypatch, 0, last) == pytest.approx(10.0)


def test_later_epochs_are_warm_from_the_start(monkeypatch):
    assert measured(monkeypatch, 0, 4, before=1.0) == pytest.approx((3 * 10 + 1) / 4)


def test_an_epoch_without_steps_tells_nothing(monkeypatch):
    assert measured(monkeypatch, 5, 5) is None


def test_accelerators_alone_are_waited_for(monkeypatch):
    waited = []
    monkeypatch.setattr(ticker.torch.accelerator, "synchronize", waited.append)
    for device in ("cpu", "cuda:1", "mps"):
        ticker.wait_for(device)
    assert waited == ["cuda:1", "mps"]
