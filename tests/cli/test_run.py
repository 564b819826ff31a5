"""What a run leaves behind, and that the same command leaves the same bits."""

import hashlib
import html
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from gradlab.cli.arguments import parse
from gradlab.cli.dry_run import _steps_of_evaluation
from gradlab.cli.run import FLAGS, begin, settings_of
from gradlab.cli.settings import cautions, checked_settings, complete_settings, make_run
from gradlab.data import FRAMINGS, load_folder
from gradlab.errors import FileError, InterruptedRunError, UsageError
from gradlab.experiments import lenet
from gradlab.records import RunFolder

QUICK = ("run", "logistic_regression", "--quick", "--epochs", "2")


def test_a_run_leaves_the_whole_folder(finished):
    left = {str(path.relative_to(finished)) for path in finished.rglob("*") if path.is_file()}
    for name in ("config.json", "environment.json", "source.py", "rows.jsonl", "results.json", "report.html",
                 "report.pdf", "weights/logistic-regression-0.safetensors", "weights/logistic-regression-4.safetensors",
                 "arrays/logistic-regression.npz"):  # fmt: skip
        assert name in left
    assert any(re.match(r"tensorboard/logistic-regression-4/events\.out\.tfevents", name) for name in left)
    assert any(re.match(r"tensorboard/logistic-regression-graph/events", name) for name in left)
    assert {path.rsplit(".", 1)[1] for path in left if path.startswith("figures/")} == {"svg", "png", "csv"}
    assert not [name for name in left if name.endswith((".part", ".holder", ".write-probe"))]


def test_results_follow_the_schema_and_the_rows(finished):
    results = json.loads((finished / "results.json").read_text())
    rows = [json.loads(line) for line in (finished / "rows.jsonl").read_text().splitlines()]
    assert results["schema"] == 1
    assert results["experiment"] == "logistic_regression"
    arm = results["arms"]["logistic regression"]
    assert arm["parameters"] == 65 * 10
    assert arm["seeds"] == [0, 4]
    expected = [row["accuracy"] for row in rows if row["split"] == "test"]
    assert arm["metrics"]["test_accuracy"]["values"] == expected
    low, high = arm["metrics"]["test_accuracy"]["ci95"]
    assert low <= arm["metrics"]["test_accuracy"]["mean"] <= high
    environment = results["environment"]
    assert environment["threads"] == 1
    assert environment["exact"] is True
    assert environment["data"]["name"] == "digits"
    assert re.fullmatch(r"[0-9a-f]{64}", environment["data"]["sha256"])
    for name, digest in environment["arms"]["logistic regression"]["weights"].items():
        assert hashlib.sha256((finished / name).read_bytes()).hexdigest() == digest


def test_tensorboard_holds_every_seed(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rows = [json.loads(line) for line in (finished / "rows.jsonl").read_text().splitlines()]
    for seed in (0, 4):
        events = EventAccumulator(str(finished / "tensorboard" / f"logistic-regression-{seed}"))
        events.Reload()
        written = [(event.step, event.value) for event in events.Scalars("accuracy/validation")]
        expected = [(r["epoch"], r["accuracy"]) for r in rows if r["split"] == "validation" and r["seed"] == seed]
        assert [step for step, _ in written] == [1, 2, 3]
        assert written == [(step, pytest.approx(value)) for step, value in expected]
    inputs = EventAccumulator(str(finished / "tensorboard" / "logistic-regression-inputs"))
    inputs.Reload()
    assert inputs.Images("inputs")
    graph = EventAccumulator(str(finished / "tensorboard" / "logistic-regression-graph"))
    graph.Reload()
    assert any("fc1" in node.name for node in graph.Graph().node)


def test_same_command_same_bits(gradlab, tmp_path):
    for out in ("first", "second"):
        done = gradlab(*QUICK, "--seeds", "3", "1", "--out", out)
        assert done.returncode == 0, done.stderr
    first, second = tmp_path / "first", tmp_path / "second"
    for name in ["rows.jsonl", *(str(path.relative_to(first)) for path in first.glob("weights/*"))]:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_ways_differ_in_nothing_that_is_recorded_as_a_row(gradlab, tmp_path):
    for way in ("processes", "in a row"):
        done = gradlab(*QUICK, "--seeds", "1", "0", "--together", way, "--out", way)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "processes" / "rows.jsonl").read_bytes() == (tmp_path / "in a row" / "rows.jsonl").read_bytes()


def test_json_is_one_document_and_quiet(gradlab):
    done = gradlab(*QUICK, "--seeds", "0", "--json", "--out", "a")
    document = json.loads(done.stdout)
    assert document["folder"] == "a"
    assert document["arms"]["logistic regression"]["metrics"]["test_accuracy"]["ci95"] is None
    assert done.stderr == ""


def test_a_run_begins_with_its_data_and_ends_with_its_answer(gradlab, tmp_path):
    done = gradlab(*QUICK, "--seeds", "0", "--out", "a")
    assert "data: digits, 10 classes (0, 1, 2, 3, 4, ...), 8 x 8 in grey: 1,297 of training, " in done.stderr
    (answer,) = [
        line for line in done.stdout.splitlines() if line.startswith("The test error of logistic regression is ")
    ]
    assert answer in html.unescape((tmp_path / "a" / "report.html").read_text())


def test_dry_run_keeps_nothing(gradlab, tmp_path):
    done = gradlab("run", "lenet", "--quick", "--dry-run", "--json")
    document = json.loads(done.stdout)
    assert document["arms"]["slides"]["parameters"] == 431_080
    assert document["arms"]["slides"]["steps"] == lenet.QUICK.epochs * 26
    assert document["arms"]["recommended"]["estimated_seconds"] > 0
    assert document["arms"]["slides"]["operations_per_image"] == 2 * (20 * 576 * 25 + 50 * 64 * 500 + 400_000 + 5_000)
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_counts_what_is_only_looked_at_as_a_third():
    facts = {"data": {"sizes": {"train": 900, "validation": 60, "test": 90}}}
    run = SimpleNamespace(facts=facts)
    about = {"recipe": {"epochs": 10, "batch_size": 10}, "measured": ["validation", "somewhere else"]}
    assert _steps_of_evaluation(about, run) == pytest.approx((10 * 60 + 90) / 10 / 3)
    assert _steps_of_evaluation({**about, "measured": []}, run) == pytest.approx(3)


def test_without_out_the_folder_is_named_after_experiment_and_start(gradlab, tmp_path):
    done = gradlab(*QUICK, "--seeds", "0")
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs" / "logistic_regression").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", folder.name)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("run", "lenett"), 2, "unknown experiment 'lenett': did you mean 'lenet'?"),
        (("rnu", "lenet"), 2, "unknown command 'rnu': did you mean 'run'?"),
        ((*QUICK, "--sedes", "1"), 2, "unknown flag '--sedes': did you mean '--seeds'?"),
        ((*QUICK, "--precision", "float23"), 2, "did you mean 'float32'?"),
        ((*QUICK, "--compile", "of"), 2, "did you mean 'off'?"),
        ((*QUICK, "--data", "digts"), 2, "unknown dataset 'digts': did you mean 'digits'?"),
        (("run", "lenet", "--quick", "--threads", "9999"), 2, "--threads 9999 is more than the"),
        (("run", "lenet", "--quick", "--save-seconds", "-1"), 2, "--save-seconds takes seconds, at least 0: got -1"),
        (("run", "logistic_regression", "--epochs", "-3"), 2, "--epochs must be at least 1: got -3"),
        (("run", "logistic_regression", "--epochs", "three"), 2, "--epochs takes a whole number: got 'three'"),
        (("run", "logistic_regression", "--learning-rate", "nan"), 2, "takes a finite number: got 'nan'"),
        ((*QUICK, "--batch-size", "2000"), 2, "batch_size 2000 is larger than the training split of 1297"),
        ((*QUICK, "--seeds", "1", "1"), 2, "--seeds must be different numbers"),
        ((*QUICK, "--seeds", "0,1"), 2, "--seeds takes a whole number: got '0,1'; separate several by spaces"),
        ((*QUICK, "--device", "cuda"), 2, "--device cuda is not there"),
        ((*QUICK, "--device", "gpu"), 2, "unknown device 'gpu'"),
        (("run", "lenet", "--arms", "slide"), 2, "did you mean 'slides'?"),
        (("run", "compare_models", "--models", "ViT", "MLP", "ViT"), 2, "--models takes each value once: got 'ViT' 2"),
        (("run", "lenet", "stray"), 2, "does not take 'stray'"),
        (("run",), 2, "name an experiment: "),
        (("run", "logistic_regression", "--seeds", "0"), 69, "mnist"),
        ((*QUICK, "--data", "folder:nothing-here"), 69, "nothing-here"),
        ((*QUICK, "--learning-rate", "1e38", "--seeds", "0"), 1, "lower learning rate"),
        (("resume", "nothing-here"), 74, "is nothing-here a gradlab run?"),
        (("report", "nothing-here"), 74, "is nothing-here a gradlab run?"),
        (("compare", "one"), 2, "compare takes two runs or more"),
        (("compare", "one", "./one"), 2, "one is named twice: a run beside itself"),
        (("summary", "LeNt"), 2, "did you mean 'LeNet'?"),
        (("summary", "LeNet", "--input", "28x28"), 2, "channels x height x width"),
        (("summary", "LeNet", "--input", "1x8x8"), 2, "at least 16x16"),
        (("summary", "RNNModel", "--with", "hidden=8"), 2, "did you mean 'hidden_size'?"),
        (("data", "fech", "mnist"), 2, "did you mean 'fetch'?"),
        (("data", "fetch", "mnist"), 69, "mnist"),
        (("data", "fetch", "minst"), 2, "did you mean 'mnist'?"),
        (("predict", "nothing-here", "x.png"), 74, "is nothing-here a gradlab run?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_input_gets_one_line_and_its_code(words, code, message, gradlab, tmp_path):
    done = gradlab(*words)
    assert done.returncode == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("gradlab: ")
    assert message in last
    assert "Traceback" not in done.stderr
    if code != 1:  # a run that diverged is reported as such
        assert not list(tmp_path.rglob("config.json"))


@pytest.mark.parametrize("name", ["digts", "auto"])
def test_a_dataset_that_nobody_knows_is_refused_before_anything_is_said_of_the_run(name, gradlab):
    done = gradlab(*QUICK, "--data", name)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_debug_shows_the_traceback(gradlab):
    assert "Traceback" in gradlab("run", "lenett", "--debug").stderr


def test_an_unwritable_place_is_noticed_before_training(gradlab, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = gradlab(*QUICK, "--out", "file/run")
    assert done.returncode == 74
    assert "cannot write to file/run" in done.stderr


def test_a_folder_that_holds_a_run_is_not_overwritten(gradlab, finished):
    before = (finished / "rows.jsonl").read_bytes()
    done = gradlab(*QUICK, "--out", str(finished))
    assert done.returncode == 2
    assert f"gradlab resume {finished}" in done.stderr
    assert (finished / "rows.jsonl").read_bytes() == before


def test_the_framing_asked_for_reaches_the_pictures_and_the_record(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(4):
            colours = np.random.default_rng(number).integers(0, 256, (8, 20, 3), dtype=np.uint8)
            Image.fromarray(colours).save(tmp_path / name / f"{number}.png")
    options = parse("run", "", FLAGS, ["--framing", "pad"])
    settings = complete_settings(settings_of("compare_models", "?", options, {"data": f"folder:{tmp_path}"}))
    assert settings["framing"] == "pad"
    run = make_run(None, settings)
    run.load(f"folder:{tmp_path}", side=8)
    assert run.facts["data"]["sha256"] == load_folder(tmp_path, image_size=8, framing="pad").digest()
    assert run.facts["data"]["framing"] == "pad"
    said = []
    for kept in (1.0, 0.0):
        run.tell, run.image_memory = said.append, kept
        run.load(f"folder:{tmp_path}", side=8)
    data = f"data: folder:{tmp_path.name}, 2 classes (a, b), 8 x 8 in colour"
    assert said[0] == f"{data}: 4 of training, 2 of validation, 2 of test"
    assert said[1] == f"{said[0]}, read from their files at every epoch"
    with pytest.warns(UserWarning, match="--framing pad keeps"):
        assert run.facts["data"]["sha256"] != load_folder(tmp_path, image_size=8).digest()


@pytest.mark.parametrize("where", ["complete_settings", "load_experiment"])
def test_interrupted_before_there_is_anything_to_go_on_with(where, tmp_path, monkeypatch):
    """In the first seconds Python raises KeyboardInterrupt wherever it is; later a flag is set."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    stopped = []

    def interrupt(*_arguments):
        stopped.append(where)
        raise KeyboardInterrupt

    place = "gradlab.cli.settings" if where == "complete_settings" else "gradlab.cli.execute"
    monkeypatch.setattr(f"{place}.{where}", interrupt)
    settings = settings_of("mlp_mnist", "?", {**parse("run", "", FLAGS, []), "quick": True}, {})
    with pytest.raises((KeyboardInterrupt, InterruptedRunError)) as caught:
        begin(folder, settings, quiet=True, as_json=False)
    assert stopped == [where]
    if where == "complete_settings":
        assert not folder.path.exists(), "nothing was begun, so nothing is left"
        assert caught.type is KeyboardInterrupt
    else:
        assert f"gradlab resume {folder.path}" in str(caught.value)
        assert caught.value.exit_code == 130


def test_what_should_be_heard_before_a_run(monkeypatch, tmp_path):
    monkeypatch.setattr("gradlab.training.oversubscribed", lambda *_: None)
    options = {**parse("run", "", FLAGS, []), "quick": True}

    def told(changes):
        return cautions(complete_settings(settings_of("compare_models", "?", options, changes)))

    assert told({}) == []
    assert told({"data": "mnist"}) == []
    assert told({"data": f"folder:{tmp_path}", "image_size": 32}) == []
    (caution,) = told({"data": f"folder:{tmp_path}"})
    assert "at 8 x 8 pixels" in caution
    assert "--image-size" in caution


def test_the_flag_offers_what_there_is():
    for name in FRAMINGS:
        assert parse("run", "", FLAGS, ["--framing", name])["framing"] == name
    with pytest.raises(UsageError, match=f"framing.*{'.*'.join(FRAMINGS)}"):
        parse("run", "", FLAGS, ["--framing", "oval"])


def test_a_group_that_an_older_version_began_crops_and_does_not_compile():
    options = parse("run", "", FLAGS, [])
    del options["framing"], options["compile"]
    settings = settings_of("lenet", "?", options, {})
    assert (settings["framing"], settings["compile"]) == ("crop", "off")


def test_the_choice_to_compile_reaches_the_place_and_the_record(finished):
    environment = json.loads((finished / "environment.json").read_text())
    assert environment["compile"] == "auto"
    told = "off: on a CPU compiling takes longer than it saves"
    assert [about["compiled"] for about in environment["arms"].values()] == [told] * len(environment["arms"])
    settings = complete_settings(settings_of("lenet", "?", parse("run", "", FLAGS, ["--compile", "on"]), {}))
    assert make_run(None, settings).place.compile == "on"
    del settings["compile"]
    assert make_run(None, settings).place.compile == "off", "older runs did not compile"


def test_a_framing_that_nobody_knows_is_damage():
    options = parse("run", "", FLAGS, [])
    settings = complete_settings(settings_of("lenet", "?", options, {}))
    assert checked_settings(settings) == settings
    with pytest.raises(FileError, match=r"config\.json is damaged: its 'framing' is 'oval'"):
        checked_settings({**settings, "framing": "oval"})
