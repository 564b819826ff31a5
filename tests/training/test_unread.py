"""Steps that leave their sums on the accelerator: the same training, and nothing waits for a step."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gradlab import rng
from gradlab.augment import Normalize
from gradlab.errors import InterruptedRunError
from gradlab.objectives import classification
from gradlab.training import Place, collect, fit, solo, stack
from gradlab.training.unread import Unread, unread_on
from tests.training.test_resume import StopAtStep

WAYS = ["in a row", "stacked"]
READS = torch.ops.aten._local_scalar_dense.default


@pytest.fixture
def accelerated(monkeypatch):
    """Makes the CPU behave as an accelerator, which differs in nothing but what reading a number costs."""
    for module in (solo, stack):
        monkeypatch.setattr(module, "unread_on", lambda device, replicas: Unread(replicas, device))


class CountReads(TorchDispatchMode):
    """Counts how often a number is read from a tensor."""

    reads = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.reads += func is READS
        return func(*args, **(kwargs or {}))


def training(bars, recipe, model, way, changes=None, **options):
    prepare = Normalize((0.3,), (0.25,))
    return fit(model, bars, classification, recipe(**(changes or {})), seeds=(0, 1), together=way,
               prepare=prepare, **options)  # fmt: skip


def weights(trained):
    return {seed: torch.cat([p.flatten() for p in model.parameters()]) for seed, model in trained.models.items()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("window", [None, 2])
def test_rows_and_weights_are_those_of_a_training_that_reads_every_step(
    way, window, bars, recipe, make_small_net, request
):
    expected_rows, expected = collect(training(bars, recipe, make_small_net, way, {"window": window}))
    request.getfixturevalue("accelerated")
    rows, trained = collect(training(bars, recipe, make_small_net, way, {"window": window}))
    assert rows == expected_rows
    assert all(torch.equal(weights(trained)[seed], weights(expected)[seed]) for seed in (0, 1))


def test_numbers_are_read_once_an_epoch_or_window_and_not_at_any_step(
    bars, recipe, make_small_net, accelerated, monkeypatch
):
    def counted(**changes):
        readings = []
        read = Unread.read
        with monkeypatch.context() as patch, CountReads() as single:
            patch.setattr(Unread, "read", lambda unread: readings.append(1) or read(unread))
            collect(training(bars, recipe, make_small_net, "stacked", changes))
        return len(readings), single.reads

    assert counted(epochs=2) == (2, 0)
    assert counted(epochs=3) == (3, 0)
    assert counted(epochs=2, window=2) == (2 * 5 // 2 + 1, 0)  # after steps 2, 4, .. 10, and after step 5


def test_sums_hold_no_graph():
    unread, weight = Unread(1, "cpu"), torch.ones(1, requires_grad=True)
    for number in range(2):
        unread.add(weight * 2, {"missed": weight * 3}, samples=1, number=number)
    assert not any(tensor.requires_grad for tensor in unread._sums.values())


@pytest.mark.parametrize("way", WAYS)
def test_a_seed_that_diverges_is_told_with_its_step_and_leaves_the_others_alone(
    way, bars, recipe, make_small_net, accelerated
):
    class Fragile(make_small_net):
        def __init__(self):
            super().__init__()
            self.register_buffer("sound", self.conv.bias[0].detach() > breaks_below)

        def forward(self, images):
            logits = super().forward(images)
            broken = (self.norm.num_batches_tracked > 7) & ~self.sound
            return logits + torch.where(broken, float("nan"), 0.0)

    breaks_below = -math.inf
    _, sound = collect(training(bars, recipe, Fragile, way))
    starts = {}
    for seed in (0, 1):
        with rng.global_stream(seed, "initial weights"):
            starts[seed] = make_small_net().conv.bias[0].item()
    broken = min(starts, key=starts.__getitem__)
    breaks_below = sum(starts.values()) / 2
    rows, trained = collect(training(bars, recipe, Fragile, way))
    assert set(trained.models) == {1 - broken}
    assert torch.equal(weights(trained)[1 - broken], weights(sound)[1 - broken])
    assert trained.diverged[broken] == "loss not finite at step 7, learning rate 0.05"
    last = [row for row in rows if row["seed"] == broken][-1]
    assert (last["epoch"], last["step"], "diverged" in last) == (2, 8, True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("looks", [1, 4, 7, 12])
def test_stopped_and_resumed_is_the_same(looks, way, bars, recipe, make_small_net, accelerated, tmp_path):
    expected_rows, expected = collect(training(bars, recipe, make_small_net, way, {"window": 3}))

    def go(stop=None):
        place = Place(state=tmp_path, **({} if stop is None else {"stop": stop}))
        return collect(training(bars, recipe, make_small_net, way, {"window": 3}, place=place))

    with pytest.raises(InterruptedRunError):
        go(StopAtStep(looks))
    rows, trained = go()
    assert rows == expected_rows
    assert all(torch.equal(weights(trained)[seed], weights(expected)[seed]) for seed in (0, 1))


def test_sums_and_first_steps_by_hand():
    unread = Unread(2, "cpu")
    unread.add(torch.tensor([1.0, 2.0]), {"accuracy": torch.tensor([3, 4])}, samples=10, number=5)
    unread.add(torch.tensor([1.0, math.inf]), {"accuracy": torch.tensor([1, 0])}, samples=2, number=6)
    unread.add(torch.tensor([0.0, math.nan]), {"accuracy": torch.tensor([1, 0])}, samples=2, number=7)
    sums, first = unread.read()
    assert sums[0] == {"accuracy": 5.0, "loss": 12.0}
    assert sums[1]["accuracy"] == 4.0
    assert first == {1: 6}
    unread.add(torch.tensor([1.0, 1.0]), {"accuracy": torch.tensor([1, 0])}, samples=1, number=8)
    assert unread.read()[0][0] == {"accuracy": 1.0, "loss": 1.0}


def test_a_cpu_reads_every_step():
    assert unread_on("cpu", 1) is None
