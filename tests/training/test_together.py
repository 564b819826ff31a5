"""The way seeds run: chosen by device, model, seeds and cores; the same every time."""

import os

import pytest
import torch
from torch import nn

from gradlab.errors import UsageError
from gradlab.training import Place, oversubscribed, together

PLAIN, RANDOM = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
STEPS = torch.optim.SGD(PLAIN.parameters(), lr=0.1)


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.setattr(together, "available_cores", lambda: 4)


@pytest.mark.parametrize(
    ("asked", "device", "seeds", "model", "expected"),
    [
        ("auto", "cpu", 1, PLAIN, "in a row"),
        ("auto", "cpu", 3, PLAIN, "processes"),
        ("auto", "cuda", 3, PLAIN, "stacked"),
        ("auto", "cuda", 3, RANDOM, "in a row"),
        ("stacked", "cpu", 3, PLAIN, "stacked"),
        ("processes", "cpu", 1, PLAIN, "processes"),
    ],
)
def test_choice(asked, device, seeds, model, expected):
    way = together.choose_way(asked, Place(device=device), seeds, model, STEPS)
    assert way.name == expected
    assert way.reason


@pytest.mark.parametrize(
    ("cores", "seeds", "model", "small_steps", "expected"),
    [
        (2, 4, PLAIN, True, "stacked"),
        (1, 2, PLAIN, True, "stacked"),
        (2, 3, PLAIN, True, "processes"),  # two cores are ahead of so small a stack
        (4, 16, PLAIN, True, "processes"),
        (2, 8, PLAIN, False, "processes"),
        (2, 8, RANDOM, True, "processes"),  # cannot be stacked
        (2, 1, PLAIN, True, "in a row"),
    ],
)
def test_small_steps_of_many_seeds_on_few_cores_are_stacked(monkeypatch, cores, seeds, model, small_steps, expected):
    monkeypatch.setattr(together, "available_cores", lambda: cores)
    assert together.choose_way("auto", Place(), seeds, model, STEPS, small_steps=small_steps).name == expected


def test_no_fork_no_processes(monkeypatch):
    monkeypatch.setattr(together, "forking_works", lambda: False)
    assert together.choose_way("auto", Place(), 3, PLAIN, STEPS).name == "in a row"
    with pytest.raises(UsageError, match="a system that forks"):
        together.choose_way("processes", Place(), 3, PLAIN, STEPS)


def test_an_oversubscribed_machine_gets_a_warning(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.0, 0.0))
    assert oversubscribed(3, 1) is None
    assert "8 threads on 4 cores" in oversubscribed(1, 8)
    assert "use --threads 1" in oversubscribed(2, 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (6.0, 0.0, 0.0))
    assert "busy (load 6.0)" in oversubscribed(1, 1)
    assert "use --threads 1" in oversubscribed(1, 2)


def test_processes_have_one_thread_each():
    """OpenMP's threads do not survive a fork: with more than one, a child would wait for ever."""
    assert together.choose_way("auto", Place(threads=2), 3, PLAIN, STEPS).name == "in a row"
    with pytest.raises(UsageError, match="one thread each: got --threads 2"):
        together.choose_way("processes", Place(threads=2), 3, PLAIN, STEPS)
