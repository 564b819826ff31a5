import pytest

from gradlab.answers.practical2 import PRACTICAL

INVARIANCE, LOCALITY = (question.discuss for question in PRACTICAL.questions[-2:])


@pytest.mark.parametrize(
    ("turned", "told"),
    [(0.4, "keeps 50 % of its accuracy on average over all angles: it is not inv"), (0.78, "is nearly invariant")],
)
def test_invariance_is_what_is_kept_over_the_angles(make_run, turned, told):
    metrics = {"test_accuracy": [0.8, 0.8], "test_rotated_accuracy": [turned, turned]}
    assert told in next(iter(INVARIANCE(make_run("rotation_robustness", {"ResNet": metrics}))))


@pytest.mark.parametrize(
    ("shuffled", "told", "never"),
    [
        ([0.50, 0.51, 0.52], ["too few for the exact test", "uses the structure"], "do not show"),
        ([0.50, 0.51, 0.52, 0.5, 0.51, 0.52], ["uses the structure"], "too few"),
        ([0.80, 0.79, 0.81], ["do not show"], "uses the structure"),
    ],
)
def test_the_cost_of_the_shuffle_is_compared_between_networks(make_run, shuffled, told, never):
    n = len(shuffled)
    arms = {"MLP, no shuffle": [0.5] * n, "MLP, fixed shuffle": [0.501, 0.5, 0.499] * (n // 3),
            "ResNet, no shuffle": [0.8] * n, "ResNet, fixed shuffle": shuffled}  # fmt: skip
    run = make_run("pixel_shuffle", {arm: {"test_accuracy": values} for arm, values in arms.items()})
    text = " ".join(LOCALITY(run))
    assert all(part in text for part in told)
    assert never not in text


def test_without_the_plain_network_nothing_is_claimed(make_run):
    assert list(LOCALITY(make_run("pixel_shuffle", {"ResNet, no shuffle": {"test_accuracy": [0.8]}}))) == []
