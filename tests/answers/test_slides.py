import json

import pytest

from gradlab.answers.slides import PRACTICAL

REGRESSION, _, LAYERS, ERRORS = (question.discuss for question in PRACTICAL.questions)


@pytest.fixture
def run(make_run):
    """One arm of two seeds and two epochs, and a measurement within an epoch, which is no answer."""
    made = make_run("lenet", {"slides": {"test_accuracy": [0.97, 0.99]}})
    rows = [{"arm": "slides", "seed": seed, "split": "train", "epoch": epoch, "accuracy": accuracy}
            for seed, epoch, accuracy in ((0, 1, 0.5), (1, 1, 0.5), (0, 2, 0.9), (1, 2, 0.94))]  # fmt: skip
    rows.append({"arm": "slides", "seed": 0, "split": "train", "epoch": 2, "step": 7, "accuracy": 0.1})
    (made.path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


def test_the_layers_are_those_of_the_slides(run):
    environment = run.document("environment")
    environment["data"] |= {"shape": [1, 28, 28]}
    (run.path / "environment.json").write_text(json.dumps(environment))
    (told,) = LAYERS(run)
    counts = (20 * (25 + 1), 50 * (20 * 25 + 1), 500 * (800 + 1), 10 * (500 + 1))
    assert told.startswith(
        f"{sum(counts):,} trainable parameters in all, {100 * counts[2] / sum(counts):.0f} % of them"
    )
    assert "93 %" in told


def test_training_and_test_error_stand_beside_each_other(run):
    for discuss in (REGRESSION, ERRORS):
        (told,) = discuss(run)
        assert told.startswith("slides: 8 % [0, 33] (n = 2) of the training images over epoch 2, while the weights")
        assert told.endswith("of the test images afterwards.")


def test_without_training_rows_nothing_is_told(make_run):
    assert list(ERRORS(make_run("lenet", {"slides": {"test_accuracy": [0.97, 0.99]}}))) == []
