"""The bench of many seeds on a GPU, measured small on a CPU: it sees whether a seed is trained as it is alone."""

import pytest
import torch

from bench import seeds_on_gpu
from bench.seeds_on_gpu import CASES, Case, differences, farthest, losses, timed
from gradlab import rng
from gradlab.augment import Binarize, Normalize
from gradlab.models import MLP, VariationalAutoencoder
from gradlab.objectives import classification, negative_elbo
from gradlab.training import Place

STEPS = 4
SHAPE = (1, 4, 4)


def steps_of(parameters):
    return torch.optim.SGD(parameters, lr=0.01)


PLAIN = Case(lambda: MLP(16, 10, (8,)), SHAPE, classification, steps_of, Normalize((0.5,), (0.25,)))
DRAWING = Case(lambda: VariationalAutoencoder(SHAPE, 3), SHAPE, negative_elbo, steps_of, Binarize(SHAPE))
EXACT = Place(precision="float64")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(seeds_on_gpu, "BATCH", 8)


@pytest.mark.parametrize("case", [PLAIN, DRAWING])
def test_seeds_of_a_stack_are_those_that_train_alone(case):
    assert losses(case, EXACT, [0, 3], STEPS).shape == (2, STEPS)
    assert max(differences(case, EXACT, [0, 3], STEPS)["in loss"]) < 1e-9


@pytest.mark.parametrize("case", [PLAIN, DRAWING])
def test_a_seed_that_is_another_one_is_told_apart(case):
    apart = farthest(losses(case, EXACT, [0, 3], STEPS), losses(case, EXACT, [0, 4], STEPS))
    for right, wrong in apart.values():
        assert right < 1e-9
        assert wrong > 1e-4


def test_a_share_is_one_of_the_loss_alone():
    apart = farthest(torch.tensor([[2.0, 500.0], [1.0, 1.0]]), torch.tensor([[2.0, 400.0], [1.0, 0.5]]))
    assert apart == {"in loss": [100.0, 0.5], "as a share": [0.25, 1.0]}


def test_seeds_that_share_their_noise_are_told_apart(monkeypatch):
    monkeypatch.setattr(rng, "step_generators", lambda seeds, step, device, right=rng.step_generators: [
        right(seeds[:1], step, device)[0] for _ in seeds])  # fmt: skip
    first, second = differences(DRAWING, EXACT, [0, 3], STEPS)["as a share"]
    assert first < 1e-9
    assert second > 1e-4


def test_times_are_told_a_round_and_a_step():
    found = timed(PLAIN, Place(), [0, 1], STEPS, rounds=2)
    assert {name: len(seconds) for name, seconds in found["wall_seconds"].items()} == {
        "one seed, 1 steps": 2, "one seed, 4 steps": 2, "all seeds, 1 steps": 2, "all seeds, 4 steps": 2,
    }  # fmt: skip
    assert set(found["milliseconds_a_step"]) == {"one seed", "all seeds"}


def test_the_networks_are_those_that_are_asked_for():
    assert list(CASES) == ["MLP", "ResNet", "ViT", "VAE"]
