"""A finished run's networks, asked about pictures from disk."""

import csv
import json
import os

import numpy as np
import pytest
from PIL import Image

from gradlab import data
from gradlab.cli.predict import _guesses, from_its_own_data, image_classifier, pictures_of
from gradlab.errors import UsageError
from gradlab.records import RunFolder, write_json


@pytest.fixture
def digit(tmp_path):
    """The first test image of the embedded digits as a picture."""
    images = data.load("digits").test
    picture = Image.fromarray(images.pixels[0, 0].numpy())
    picture.save(tmp_path / "digit.png")
    return int(images.labels[0])


def test_names_the_digit(gradlab, finished, digit):
    done = gradlab("predict", str(finished), "digit.png", "--json")
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)["predictions"]
    assert answer["classes"][0]["class"] == str(digit)
    assert answer["seeds"] == 2
    assert len(answer["classes"]) == 3


def test_inverting_twice_changes_nothing(gradlab, finished, digit, tmp_path):
    with Image.open(tmp_path / "digit.png") as picture:
        Image.fromarray(255 - np.asarray(picture)).save(tmp_path / "inverted.png")
    straight = gradlab("predict", str(finished), "digit.png").stdout.replace("digit.png", "it")
    inverted = gradlab("predict", str(finished), "inverted.png", "--invert").stdout.replace("inverted.png", "it")
    assert straight == inverted
    assert straight.splitlines()[0].endswith(", the mean probability of 2 seeds:")


def test_colour_and_size_are_taken_care_of(gradlab, finished, digit, tmp_path):
    with Image.open(tmp_path / "digit.png") as picture:
        picture.convert("RGB").save(tmp_path / "colour.webp", lossless=True)
    done = gradlab("predict", str(finished), "colour.webp", "digit.png", "--json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["predictions"]
    assert first["classes"] == second["classes"]


@pytest.mark.parametrize("framing", [None, "crop", "pad", "stretch"])
def test_pictures_become_square_as_those_of_the_run_did(framing, tmp_path):
    Image.fromarray(np.arange(24 * 8, dtype=np.uint8).reshape(8, 24)).convert("RGB").save(tmp_path / "long.png")
    write_json(tmp_path / "config.json", {} if framing is None else {"framing": framing})
    pixels = pictures_of(RunFolder(tmp_path), {"shape": [3, 8, 8]}, [str(tmp_path / "long.png")], invert=False)
    expected = data.read_picture(tmp_path / "long.png", 8, framing or "crop")
    assert (pixels[0].permute(1, 2, 0).numpy() == expected).all()


def test_damaged_weights_are_refused(gradlab, finished, digit, tmp_path):
    import shutil

    shutil.copytree(finished, tmp_path / "copy")
    weights = next((tmp_path / "copy" / "weights").iterdir())
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    done = gradlab("predict", "copy", "digit.png")
    assert done.returncode == 74
    assert "is damaged: its SHA-256" in done.stderr


def test_a_folder_means_all_pictures_in_it(gradlab, finished, digit, tmp_path):
    (tmp_path / "many" / "deeper").mkdir(parents=True)
    for place in ("many/b.png", "many/deeper/a.png", "many/.hidden.png"):
        (tmp_path / place).write_bytes((tmp_path / "digit.png").read_bytes())
    (tmp_path / "many" / "notes.txt").write_text("no picture")
    done = gradlab("predict", str(finished), "many", "digit.png", "--json")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["predictions"]
    assert [answer["image"] for answer in answers] == ["many/b.png", "many/deeper/a.png", "digit.png"]
    assert answers[0]["classes"] == answers[2]["classes"]
    (tmp_path / "empty").mkdir()
    refused = gradlab("predict", str(finished), "empty")
    assert refused.returncode == 2
    assert "there is no picture in the folder empty" in refused.stderr


def test_a_table_has_a_row_for_each_picture(gradlab, finished, digit, tmp_path):
    (tmp_path / 'a "3", or 8.png').write_bytes((tmp_path / "digit.png").read_bytes())
    done = gradlab("predict", str(finished), "digit.png", 'a "3", or 8.png', "--csv", "table.csv", "--json")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["predictions"]
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["digit.png", 'a "3", or 8.png']
    for row, answer in zip(rows, answers, strict=True):
        first = answer["classes"][0]
        assert (row["class"], row["agreeing"], row["seeds"]) == (first["class"], str(answer["agreeing"]), "2")
        assert float(row["probability"]) == pytest.approx(first["probability"], abs=1e-6)
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / os.fsdecode(b"caf\xe9.png")).write_bytes((tmp_path / "digit.png").read_bytes())
    assert gradlab("predict", str(finished), "odd", "--csv", "table.csv", "--json").returncode == 0
    assert b"odd/caf\xe9.png," in (tmp_path / "table.csv").read_bytes()
    refused = gradlab("predict", str(finished), "digit.png", "--csv", "no/such/table.csv")
    assert refused.returncode != 0
    assert "no/such/table.csv" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_pictures_of_the_run_s_own_folder_are_told(tmp_path, monkeypatch):
    """They were most likely trained on; what is said of them is no measure of what is said of new ones."""
    monkeypatch.chdir(tmp_path)
    run = RunFolder(tmp_path)
    write_json(tmp_path / "config.json", {"config": {"data": "folder:pictures"}})
    told = from_its_own_data(run, [str(tmp_path / "pictures/cat/1.png"), "pictures/dog/2.png", "other/3.png"])
    assert told.startswith("warning: 2 of 3 pictures")
    assert from_its_own_data(run, ["other/3.png", "pictures.png"]) is None
    write_json(tmp_path / "config.json", {"config": {"data": "digits"}})
    assert from_its_own_data(run, ["digits/1.png"]) is None


def test_a_run_whose_networks_may_be_guessing_says_so():
    class Finished:
        def document(self, name):
            assert name == "results"
            data = {"sizes": {"test": 30}, "classes": ["a", "b", "c"]}
            metrics = {"test_accuracy": {"values": [right]}}
            return {"environment": {"data": data}, "arms": {"ViT": {"seeds": [0], "metrics": metrics}}}

    right = 0.4
    assert "no network of this run is clearly better than guessing" in str(_guesses(Finished()))
    right = 0.9
    assert _guesses(Finished()) is None


def test_what_is_no_picture_is_named(gradlab, finished, tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    done = gradlab("predict", str(finished), "notes.png")
    assert done.returncode == 69
    assert "notes.png" in done.stderr
    assert gradlab("predict", str(finished), "notes.png", "--arm", "logistic").returncode == 2


class ShuffledRun:
    """As much of a run's folder as choosing an arm reads."""

    path = "run"

    def document(self, _name):
        def seen(*steps):
            return {"recipe": {"inputs": [{"name": step} for step in steps]}}

        arms = {"plain": seen("Normalize"), "fixed": seen("FixedShuffle", "Normalize")}
        return {"data": {"shape": [1, 8, 8]}, "arms": arms}

    def rows(self):
        shared = {"seed": 0, "epoch": 1, "split": "validation"}
        return [{"arm": "plain", "accuracy": 0.5, **shared}, {"arm": "fixed", "accuracy": 0.9, **shared}]


def test_that_two_arms_validate_equally_well_is_told_to_those_who_name_none(capsys):
    class Tied(ShuffledRun):
        def document(self, _name):
            return {"data": {"shape": [1, 8, 8]}, "arms": {"plain": {}, "fixed": {}}}

        def rows(self):
            return [row | {"accuracy": 0.5} for row in super().rows()]

    assert image_classifier(Tied(), None, "predict")[1] == "plain"
    assert capsys.readouterr().err.startswith("fixed validates just as well as plain, up to rounding")
    image_classifier(Tied(), "plain", "predict")
    assert capsys.readouterr().err == ""


def test_networks_of_shuffled_pixels_are_shown_no_pictures():
    _environment, arm = image_classifier(ShuffledRun(), None, "predict")
    assert arm == "plain"
    with pytest.raises(UsageError, match=r"'fixed' was trained on shuffled pixels.*choose one of \['plain'\]"):
        image_classifier(ShuffledRun(), "fixed", "predict")


def test_an_arm_that_names_no_classes_is_refused(gradlab, finished, digit, tmp_path):
    import shutil

    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "digests.sealed").unlink()
    path = tmp_path / "copy" / "environment.json"
    environment = json.loads(path.read_text())
    environment["arms"]["without labels"] = next(iter(environment["arms"].values()))
    path.write_text(json.dumps(environment))
    done = gradlab("predict", "copy", "digit.png", "--arm", "without labels")
    assert done.returncode == 2
    assert "unknown arm 'without labels'" in done.stderr
