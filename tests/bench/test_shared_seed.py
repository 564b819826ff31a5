"""The bench of two processes that share a seed, measured small: it sees whether they make the steps of one."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from bench import shared_seed
from bench.shared_seed import CASES, Case, agreement, images_a_second
from gradlab.augment import Normalize
from gradlab.models import ResNet
from gradlab.objectives import classification
from gradlab.training import Ranks

SMALL = Case(
    lambda: ResNet(10, (1, 1), (4, 6)), classification, Normalize((0.5,) * 3, (0.25,) * 3), 8, (2, 4),
    partial(torch.optim.SGD, lr=0.1), side=8,
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_two_processes_agree_with_one():
    found = agreement(SMALL)
    assert found["moved"] > 1e-3
    assert found["apart"] < 1e-12


def test_processes_that_see_the_same_share_are_told_apart(monkeypatch):
    monkeypatch.setattr(Ranks, "share", lambda _self, batch: batch.chunk(2)[0])
    assert agreement(SMALL)["apart"] > 1e-6


def test_speeds_are_told_a_round(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(shared_seed, "wall_clock", lambda: next(ticks) ** 2)
    found = images_a_second(replace(SMALL, steps=(1, 2)), rounds=1)
    assert list(found) == ["one process", "two processes"]
    assert all(len(speeds) == 1 for speeds in found.values())


def test_the_networks_are_those_of_the_practicals():
    assert {name: case.batch for name, case in CASES.items()} == {"ResNet": 128, "SimCLR": 256}
