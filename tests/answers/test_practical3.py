import pytest

from gradlab.answers.practical3 import PRACTICAL

BESIDE, SETTINGS, BY_PATCH = (question.discuss for question in PRACTICAL.questions)


def accuracies(**values: list[float]) -> dict[str, dict[str, list[float]]]:
    return {arm.replace("_", " "): {"test_accuracy": numbers} for arm, numbers in values.items()}


@pytest.mark.parametrize(("cnn", "explained"), [([0.8, 0.805], True), ([0.4, 0.41], False), ([0.66, 0.68], False)])
def test_the_explanation_follows_only_where_the_transformer_is_behind(make_run, cnn, explained):
    run = make_run("vit", accuracies(handbook=[0.52, 0.525], recommended=[0.67, 0.672], CNN=cnn))
    text = " ".join(BESIDE(run))
    assert ("must learn both" in text) == explained
    assert "The transformer 'recommended' differs from the CNN by" in text


def test_settings_are_compared_as_a_whole(make_run):
    (sentence,) = SETTINGS(make_run("vit", accuracies(handbook=[0.52, 0.53], recommended=[0.67, 0.68])))
    assert "+15" in sentence


@pytest.mark.parametrize(
    ("small", "told"), [([0.40, 0.41], "the drop grows as patches shrink"), ([0.59, 0.58], "does not grow")]
)
def test_the_drop_is_followed_over_patch_sizes(make_run, small, told):
    arms = {"patch 8": [0.5, 0.5], "patch 8, no positions": [0.45, 0.46], "patch 4": [0.6, 0.6],
            "patch 4, no positions": small}  # fmt: skip
    run = make_run("positional_embedding", accuracies(**arms), patch_sizes=[8, 4])
    assert told in " ".join(BY_PATCH(run))


def test_one_patch_size_is_no_trend(make_run):
    arms = {"patch 8": [0.5, 0.5], "patch 8, no positions": [0.45, 0.46]}
    assert list(BY_PATCH(make_run("positional_embedding", accuracies(**arms), patch_sizes=[8]))) == []
