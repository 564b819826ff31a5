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


def keep(run, arm: str, vectors: np.ndarray, turned: tuple[float, float] = (0.0, 0.0)) -> None:
    run.write_arrays(f"{arm} inside", turned=np.array(turned), vectors=vectors)


def test_what_is_lost_is_told_only_where_it_was_measured(make_run):
    arms = {"CNN": ACCURACY, "C4": {**ACCURACY, "test_accuracy": [0.8, 0.8]}, "C8": {"test_loss": [1.0, 1.0]}}
    sentences = list(GAP(make_run("group_equivariance", arms)))
    assert sentences == ["CNN: 90.0 % upright, 50.0 % turned, 40.0 points lost.",
                         "C4: 90.0 % upright, 80.0 % turned, 10.0 points lost."]  # fmt: skip


def test_maps_that_turn_are_told_from_others(run):
    keep(run, "CNN", np.ones((8, 5)), (0.9, 0.4))
    keep(run, "C4", np.ones((8, 5)), (1e-6, 0.2))
    plain, group = MAPS(run)
    assert "differ by 90 % from the upright ones, turned; at 45 degrees" in plain
    assert "are the upright ones, turned and moved along the group" in group
    assert "differ by 20 % from the upright ones, at their best place" in group


def test_vectors_that_stay_are_told_from_those_that_move(run):
    still = np.where(ANGLES[:, None] % 90 == 0, 1.0, 1.2) * np.ones((8, 5))
    keep(run, "C4", still)
    keep(run, "CNN", np.arange(40.0).reshape(8, 5))
    plain, group = VECTORS(run)
    assert "never saw in training" in plain
    assert "equal at every quarter turn" in group
    assert "up to 20 % of its length, and the four such angles agree" in group


def test_agreement_between_the_angles_is_measured(run):
    still = np.where(ANGLES[:, None] % 90 == 0, 1.0, 1.0 + ANGLES[:, None] / 300) * np.ones((8, 5))
    keep(run, "C4", still)
    (group,) = VECTORS(run)
    assert "agree" not in group
