import numpy as np
import pytest

from gradlab.answers.practical4 import ANGLES, PRACTICAL

GAP, MAPS, VECTORS = (question.discuss for question in PRACTICAL.questions if question.part == "Part 3")
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
    assert sentences[:-1] == ["CNN: 90.0 % upright, 50.0 % turned, 40.0 points lost.",
                         "C4: 90.0 % upright, 80.0 % turned, 10.0 points lost."]  # fmt: skip
    assert "--arms CNN C4 C8 SmoothC4" in sentences[-1], "C8 was not measured, and nothing else is beside C4"


def test_other_groups_are_held_against_the_first(make_run):
    c4, c8 = {"test_accuracy": [0.8, 0.82]}, {"test_accuracy": [0.9, 0.92]}
    arms = {"CNN": ACCURACY, "C4": c4, "C8": c8, "D4": c4, "SmoothC4": c8}
    finer, mirrored, smooth, other = list(GAP(make_run("group_equivariance", arms)))[-4:]
    assert finer.startswith("C8 has a turn by 45 degrees; against C4 on turned images: +10")
    assert mirrored.startswith("D4 has no turn by 45 degrees; against C4 on turned images: +0.00")
    assert mirrored.endswith("(equal).")
    assert smooth.startswith("SmoothC4 has no turn by 45 degrees and kernels of C8; against C4")
    assert "gradlab run rotated_mnist" in other


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
    plain, group, *_ = VECTORS(run)
    assert "never saw in training" in plain
    assert "equal at every quarter turn" in group
    assert "up to 20 % of its length, and the four such angles agree" in group


def test_agreement_between_the_angles_is_measured(run):
    still = np.where(ANGLES[:, None] % 90 == 0, 1.0, 1.0 + ANGLES[:, None] / 300) * np.ones((8, 5))
    keep(run, "C4", still)
    group, *_ = VECTORS(run)
    assert "agree" not in group


def turning(between: float) -> np.ndarray:
    """Vectors that stay at quarter turns and move by a share of their length between them."""
    return np.where(ANGLES[:, None] % 90 == 0, 1.0, 1.0 + between) * np.ones((8, 5))


@pytest.mark.parametrize(
    ("smooth", "told"),
    [(None, "30 % in C4, whose kernels are others as well;"), (0.2, "20 % in SmoothC4;")],
    ids=["exact taps", "the kernels of C8"],
)
def test_the_cause_is_told_from_a_group_that_has_the_turn(make_run, smooth, told):
    moved = {"CNN": 0.5, "C4": 0.3, "C8": 0.04} | ({} if smooth is None else {"SmoothC4": smooth})
    run = make_run("group_equivariance", dict.fromkeys(moved, ACCURACY))
    (run.path / "arrays").mkdir()
    for arm, between in moved.items():
        keep(run, arm, turning(between))
    elements, cause = list(VECTORS(run))[-2:]
    assert elements.startswith(f"Quarter turns are elements of {'C4' if smooth is None else 'SmoothC4'}")
    assert f"in C8, the vector of this one image and seed moves by 4 % where it moves by {told}" in cause


def test_without_such_a_group_no_cause_is_weighed(run):
    keep(run, "CNN", turning(0.5))
    assert not any("elements of" in sentence for sentence in VECTORS(run))
    keep(run, "C4", turning(0.3))
    assert "an arm C8 in the run would tell" in list(VECTORS(run))[-1]
