import pytest

from gradlab.answers.practical1 import PRACTICAL

GOAL, STRUCTURE = (question.discuss for question in PRACTICAL.questions[-2:])


@pytest.mark.parametrize(("values", "told"), [([0.57, 0.58], "is reached"), ([0.54, 0.55], "is not reached")])
def test_the_goal_is_judged_by_the_arm_that_validates_best(make_run, values, told):
    arms = {
        "baseline": {"validation_accuracy": [0.5, 0.5], "test_accuracy": [0.59, 0.59]},
        "wide": {"validation_accuracy": [0.6, 0.6], "test_accuracy": values},
    }
    run = make_run("mlp_improvements", arms)
    (sentence,) = GOAL(run)
    assert told in sentence
    assert "wide, which validates best, has" in sentence
    arms["deep"] = arms["wide"]
    assert list(GOAL(make_run("mlp_improvements", arms)))[1:] == [
        "deep validates just as well as wide, up to rounding: validation does not tell them apart."
    ]


@pytest.mark.parametrize(
    ("fixed", "told"),
    [
        ([0.501, 0.499, 0.5, 0.502, 0.5, 0.5], "changes nothing"),
        ([0.4, 0.41, 0.42, 0.4, 0.41, 0.39], "show a difference"),
    ],
)
def test_a_fixed_order_is_judged_by_the_paired_test(make_run, fixed, told):
    arms = {"MLP, no shuffle": [0.5] * 6, "MLP, fixed shuffle": fixed, "MLP, shuffle per image": [0.26] * 6}
    sentences = list(STRUCTURE(make_run("pixel_shuffle", {arm: {"test_accuracy": v} for arm, v in arms.items()})))
    assert told in sentences[0]
    assert "26.0 %, more than the 10 % of guessing" in sentences[1]


def test_what_new_orders_leave_is_held_against_guessing(make_run):
    run = make_run("pixel_shuffle", {"MLP, shuffle per batch": {"test_accuracy": [0.11, 0.12]}})
    (sentence,) = STRUCTURE(run)
    assert "hardly more than" in sentence
