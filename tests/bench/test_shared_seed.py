"""The bench of two processes that share a seed, measured small: it sees whether they make the steps of one."""

from functools import partial

import pytest
import torch

from bench import handbook_loop, shared_seed
from bench.shared_seed import CASES, Case, agreement, speeds
from gradlab.augment import Normalize
from gradlab.experiments import resnet, simclr
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


def test_running_statistics_of_their_own_are_told_apart(monkeypatch):
    """Right after one step, but for what batch norm remembers: the statistics of a process's own share."""
    monkeypatch.setattr(shared_seed, "by_two", lambda case, steps, precision: [
        {name: tensor + ("running_mean" in name) for name, tensor in state.items()}
        for state in shared_seed.by_one(case, steps, precision)])  # fmt: skip
    assert agreement(SMALL)["apart"] == 1


def test_every_round_tells_the_speed_of_both(monkeypatch):
    """On a clock of its own one process takes a second a step, two take half of one, and both start in five."""
    clock = [0.0]

    def takes(seconds):
        def train(_case, steps):
            clock[0] += 5 + seconds * steps

        return train

    monkeypatch.setattr(handbook_loop, "used", lambda: (clock[0], clock[0]))
    monkeypatch.setattr(shared_seed, "by_one", takes(1.0))
    monkeypatch.setattr(shared_seed, "by_two", takes(0.5))
    assert speeds(SMALL, rounds=2) == {"one process": [8.0, 8.0], "two processes": [16.0, 16.0]}


def test_the_batches_are_those_of_the_practicals():
    batches = {"ResNet": resnet.Config().batch_size, "SimCLR": simclr.Config().batch_size}
    assert {name: case.batch for name, case in CASES.items()} == batches
