import json

import pytest

from gradlab.cli.summary import main
from gradlab.errors import UsageError

IMAGE_MODELS = {
    "ResNet": 99_018,
    "PostActivationResNet": 272_378,
    "GoogleNet": 260_650,
    "DenseNet": 239_146,
    "VisionTransformer": 811_146,
    "ResidualCNN": 62_794,
    "MLP": 820_874,
}


def summary(capsys, *words: str) -> dict:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_networks_for_colour_images(name, capsys):
    document = summary(capsys, name, "--input", "3x32x32")
    assert document["parameters"] == IMAGE_MODELS[name]
    assert document["layers"][-1]["output"] == "10"


@pytest.mark.parametrize("name", sorted(set(IMAGE_MODELS) | {"LeNet", "LogRegression"}))
def test_networks_take_their_sizes_from_the_images(name, capsys):
    document = summary(capsys, name, "--input", "1x28x28", "--classes", "7")
    assert document["layers"][-1]["output"] == "7"


def test_a_vision_transformer_has_as_many_places_as_the_image_has_patches(capsys):
    for side in (8, 28, 64):
        document = summary(capsys, "VisionTransformer", "--input", f"3x{side}x{side}")
        assert document["layers"][-1]["parameters"] == 128 + (1 + (side // 4) ** 2) * 128


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("VisionTransformer", "--input", "3x30x30"), "patch must divide the image sides: got patch 4, image 30x30"),
        (("ResNet", "--input", "3x2x2"), "ResNet needs images of at least 4x4: got 2x2"),
        (("ResidualCNN", "--input", "3x3x3"), "ResidualCNN needs images of at least 4x4: got 3"),
        (("PreActResNetBlock",), "unknown model 'PreActResNetBlock'"),
    ],
)
def test_sizes_that_do_not_fit_are_a_usage_error(words, told):
    with pytest.raises(UsageError, match=told):
        main(words)
