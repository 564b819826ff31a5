import numpy as np
import pytest

from gradlab.answers.practical4 import ANGLES, PRACTICAL

GAP, MAPS, VECTORS = (question.discuss for question in PRACTICAL.questions)
ACCURACY = {"test_accuracy": [0.5, 0.5], "test_upright_accuracy": [0.9, 0.9]}


@pytest.fixture
def run(make_run):
    made = make_run("group_equivariance", {"CNN": ACCURACY, "C4": {**ACCURACY, "test_accuracy": [0.8, 0.8]}})
    (made.path / "arrays").mkdir()
    return made


def keep(run, arm: str, maps: np.ndarray, vectors: np.ndarray) -> None:
    run.write_arrays(f"{arm} inside", maps=maps, vectors=vectors)


def test_the_least_loss_is_named(run):
    (sentence,) = GAP(run)
    assert "CNN 40.0, C4 10.0; the least with C4" in sentence


def test_maps_that_turn_and_move_are_told_from_others(run):
    rng = np.random.default_rng(0)
    upright = rng.integers(0, 255, (4, 6, 6)).astype(np.uint8)
    turned = np.stack([np.roll(np.rot90(upright, angle // 90, axes=(1, 2)), angle // 90, axis=0) if angle % 90 == 0
                       else upright for angle in ANGLES])  # fmt: skip
    keep(run, "C4", turned, np.ones((8, 5)))
    keep(run, "CNN", rng.integers(0, 255, (8, 4, 6, 6)).astype(np.uint8), np.ones((8, 5)))
    plain, group = MAPS(run)
    assert "other maps" in plain
    assert "moved along the group; at 45 degrees only approximately" in group


def test_a_group_network_whose_maps_do_not_turn_is_not_praised(run):
    brighter = np.arange(8)[:, None, None, None] * np.ones((8, 4, 6, 6))
    keep(run, "C4", brighter.astype(np.uint8), np.ones((8, 5)))
    (told,) = MAPS(run)
    assert "other maps" in told


def test_vectors_that_stay_are_told_from_those_that_move(run):
    still = np.where(ANGLES[:, None] % 90 == 0, 1.0, 1.2) * np.ones((8, 5))
    keep(run, "C4", np.zeros((8, 4, 6, 6), np.uint8), still)
    keep(run, "CNN", np.zeros((8, 4, 6, 6), np.uint8), np.arange(40.0).reshape(8, 5))
    plain, group = VECTORS(run)
    assert "never saw in training" in plain
    assert "equal at every quarter turn" in group
    assert "up to 20% of its length" in group
