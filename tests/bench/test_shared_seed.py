"""The bench of two processes that share a seed, measured small: it sees whether they make the steps of one."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from bench import shared_seed
from bench.shared_seed import CASES, Case, agreement, images_a_second, speeds
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


def test_speeds_are_of_what_a_longer_training_takes_more():
    assert speeds(100, [1.0, 2.0], [3.0, 7.0]) == [50.0, 20.0]
    with pytest.raises(SystemExit, match="nothing else"):
        speeds(100, [1.0, 2.0], [3.0, 2.0])


def test_every_round_tells_the_speed_of_both():
    found = images_a_second(replace(SMALL, steps=(1, 30)), rounds=2)
    assert {way: len(told) for way, told in found.items()} == {"one process": 2, "two processes": 2}


def test_the_batches_are_those_of_the_practicals():
    batches = {"ResNet": resnet.Config().batch_size, "SimCLR": simclr.Config().batch_size}
    assert {name: case.batch for name, case in CASES.items()} == batches
