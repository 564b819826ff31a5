import pytest
import torch

from gradlab.training import Recipe


def recipe(epochs, batch_size):
    return Recipe(epochs=epochs, batch_size=batch_size, optimizer=lambda p: torch.optim.SGD(p, lr=0.1))


def test_hardly_a_step_an_epoch_is_told_with_a_smaller_batch():
    told = recipe(10, 128).too_few_steps(150)
    assert told is not None
    assert "150 training samples in batches of 128 make 20 steps in all" in told
    assert "--batch-size 9" in told


@pytest.mark.parametrize(
    ("epochs", "batch_size", "samples"),
    [(10, 32, 128), (1, 8, 45_000), (200, 400, 400)],
    ids=["enough an epoch", "many", "enough in all"],
)
def test_enough_steps_are_no_matter(epochs, batch_size, samples):
    assert recipe(epochs, batch_size).too_few_steps(samples) is None


def test_the_smallest_batch_is_one_sample():
    told = recipe(1, 2).too_few_steps(3)
    assert told is not None
    assert "--batch-size 1)" in told
