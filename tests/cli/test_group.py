"""Experiments that belong together: one folder, one report, resumable as a whole."""

import dataclasses
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradlab.cli import group
from gradlab.cli.arguments import parse
from gradlab.cli.run import FLAGS, begin, main, settings_of
from gradlab.cli.settings import complete_settings, configured, load_experiment
from gradlab.errors import DivergedError, UsageError
from gradlab.experiments import GROUPS, experiment_names
from gradlab.records import RunFolder, write_json

ROOT = Path(__file__).parents[2]


def test_a_group_is_interrupted_resumed_and_reported_as_one(gradlab, tmp_path, environment):
    command = [sys.executable, "-m", "gradlab", "run", "slides", "--quick", "--seeds", "0", "--out", "all"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 60
    while not (tmp_path / "all" / "lenet" / "rows.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _output, told = process.communicate(timeout=30)
    assert process.returncode == 143
    assert told.decode().rstrip().endswith("gradlab resume all"), (
        "not of one experiment: that would not go on to others"
    )
    assert not (tmp_path / "all" / "report.html").exists()
    early = gradlab("report", "all")
    assert early.returncode == 2
    assert "is not finished: `gradlab resume all` goes on with it" in early.stderr
    done = gradlab("resume", "all")
    assert done.returncode == 0, done.stderr
    whole = (tmp_path / "all" / "report.html").read_bytes()
    (tmp_path / "all" / "report.html").unlink()
    assert gradlab("report", "all").returncode == 0
    assert (tmp_path / "all" / "report.html").read_bytes() == whole
    assert gradlab("report", "all", "--out", "elsewhere").returncode == 0
    assert (tmp_path / "elsewhere" / "report.html").read_bytes() == whole
    pdf = tmp_path / "all" / "lenet" / "report.pdf"
    pdf.unlink()  # as if the run had been stopped before its very end
    assert gradlab("resume", "all").returncode == 0
    assert pdf.is_file()
    for name in GROUPS["slides"]:
        found = json.loads((tmp_path / "all" / name / "results.json").read_text())
        assert found["experiment"] == name
        assert found["command"] == "gradlab run slides --quick --seeds 0", "also where `gradlab resume` began it"
    page = (tmp_path / "all" / "report.html").read_text()
    assert page.index("Answers at a glance") < page.index(next(iter(GROUPS["slides"])))
    assert page.count("gradlab run slides --quick --seeds 0") >= len(GROUPS["slides"])
    assert page.count('class="answer"') >= len(GROUPS["slides"]) or page.count("Answer") >= len(GROUPS["slides"])


def test_an_experiment_that_diverges_does_not_keep_the_others_from_their_turn(tmp_path, monkeypatch, capsys):
    begun = []

    def begin(member, settings, **_):
        begun.append(settings["experiment"])
        write_json(member.path / "config.json", settings)
        write_json(member.path / "results.json", {"seconds": 70.0})
        if settings["experiment"] == "lenet":
            raise DivergedError("'net' seed 0: loss nan")
        return 0

    monkeypatch.setattr(group, "begin", begin)
    monkeypatch.setattr(group, "page_of_run", lambda run, _blocks: run.path.name)
    monkeypatch.setattr(group, "with_front_page", lambda pages, _command: ["front", *pages])
    monkeypatch.setattr(group, "load_experiment", lambda _name: SimpleNamespace(page=lambda _run: []))
    written = []
    monkeypatch.setattr(group, "write_report", lambda pages, folder, title: written.append(pages) or SimpleNamespace(
        html=folder / "report.html", pdf=folder / "report.pdf"))  # fmt: skip
    code = group.run_group("slides", {**parse("run slides", "", FLAGS, ["--quick"]), "out": str(tmp_path / "all")})
    assert begun == list(GROUPS["slides"])
    assert written == [["front", *GROUPS["slides"]]], "one report of all"
    assert code == DivergedError("").exit_code == 1
    output, told = capsys.readouterr()
    assert "gradlab: lenet: 'net' seed 0: loss nan" in told
    assert output.endswith("all took 3 min 30 s, reports not counted\n")


def test_a_group_asked_for_json_prints_one_document(tmp_path, monkeypatch, capsys):
    def begin(member, settings, **_):
        write_json(member.path / "config.json", settings)
        write_json(member.path / "results.json", {"seconds": 1.5})
        sys.stdout.write("Metric  Arm  Mean\n")

    monkeypatch.setattr(group, "begin", begin)
    monkeypatch.setattr(group, "page_of_run", lambda run, _blocks: run.path.name)
    monkeypatch.setattr(group, "with_front_page", lambda pages, _command: ["front", *pages])
    monkeypatch.setattr(group, "load_experiment", lambda _name: SimpleNamespace(page=lambda _run: []))
    monkeypatch.setattr(group, "write_report", lambda _pages, folder, title: SimpleNamespace(
        html=folder / title, pdf=None))  # fmt: skip
    group.run_group("slides", {**parse("run slides", "", FLAGS, ["--quick", "--json"]), "out": str(tmp_path / "all")})
    document = json.loads(capsys.readouterr().out)
    assert document["experiments"] == list(GROUPS["slides"])
    assert document["seconds"] == 1.5 * len(GROUPS["slides"])


def test_dry_run_of_a_group_tells_each_experiment_and_the_sum(gradlab, tmp_path):
    done = gradlab("run", "practical1", "--quick", "--dry-run", "--json")
    document = json.loads(done.stdout)
    assert [member["experiment"] for member in document["experiments"]] == list(GROUPS["practical1"])
    each = [member["estimated_seconds"] for member in document["experiments"]]
    assert document["estimated_seconds"] == sum(each) > 0
    assert list(tmp_path.iterdir()) == []


def test_groups_name_experiments_that_exist():
    assert {name for members in GROUPS.values() for name in members} <= set(experiment_names())


def test_the_handbook_s_group_runs_all_that_the_map_of_the_handbook_names():
    tables = [line for line in (ROOT / "docs" / "handbook.md").read_text().splitlines() if line.startswith("| ")]
    named = [name for line in tables for name in re.findall(r"`(\w+)`", line.split("|")[2])]
    assert len(named) > 20
    assert set(GROUPS["handbook"]) == set(named) - {"compare_models"}, "the cheat-sheet's network can be tried there"
    assert set(experiment_names()) - set(GROUPS["handbook"]) == {"compare_models", "speedrun"}, "one's own questions"


@pytest.mark.parametrize("quick", [True, False])
def test_every_member_of_a_group_takes_the_settings_that_it_has_there(quick):
    options = parse("run handbook", "", FLAGS, ["--quick"] if quick else [])
    for members in GROUPS.values():
        for name, changes in members.items():
            settings = complete_settings(settings_of(name, "", options, dict(changes)))
            module = load_experiment(name)
            written = json.loads(json.dumps(settings))  # as `config.json` holds it
            base = module.QUICK if quick else module.Config()
            assert configured(module, written) == dataclasses.replace(base, **changes)
            assert written["seeds"] == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_the_whole_handbook_runs_in_one_command(gradlab, tmp_path, environment):
    command = [sys.executable, "-m", "gradlab", "run", "handbook", "--quick", "--seeds", "0", "--out", "all", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["experiments"] == list(GROUPS["handbook"])
    each = [json.loads((tmp_path / "all" / name / "results.json").read_text()) for name in GROUPS["handbook"]]
    assert document["seconds"] == pytest.approx(sum(results["seconds"] for results in each))
    assert gradlab("report", "--handbook", "all").returncode == 0


TWO_OF_ONE = {
    "resnet": {"recipes": ("handbook",)},
    "rotation_robustness": {"networks": ("MLP", "ResNet", "ViT")},
    "vit": {"arms": ("handbook",), "embed_dim": 128, "hidden_dim": 256, "heads": 8, "layers": 6},
}
"""At `--quick`, experiments with the networks of practicals 2 and 3 in common."""


@pytest.fixture
def two_of_one(monkeypatch):
    monkeypatch.setattr(group, "GROUPS", {"practical2": TWO_OF_ONE})


def _options(*words: str, out: Path | None = None) -> dict:
    return {**parse("run practical2", "", FLAGS, ["--quick", "--seeds", "0", *words]), "out": out and str(out)}


def test_what_two_experiments_have_in_common_is_trained_once(two_of_one, tmp_path, capsys):
    group.run_group("practical2", _options(out=tmp_path / "all"))
    told = capsys.readouterr().err
    assert "ResNet: not trained again, since its training is the very one of resnet, handbook" in told
    assert "handbook: not trained again, since its training is the very one of rotation_robustness, ViT" in told
    arms = {run: json.loads((tmp_path / "all" / run / "environment.json").read_text())["arms"] for run in TWO_OF_ONE}
    assert arms["rotation_robustness"]["MLP"]["taken_from"] is None
    assert arms["rotation_robustness"]["ResNet"]["taken_from"] == "resnet, handbook"
    assert "trained once, for" in (tmp_path / "all" / "rotation_robustness" / "report.html").read_text()
    weights = [(tmp_path / "all" / path).read_bytes() for path in (
        "resnet/weights/handbook-0.safetensors", "rotation_robustness/weights/ResNet-0.safetensors")]  # fmt: skip
    assert weights[0] == weights[1]
    alone = tmp_path / "alone"
    settings = group._member_settings("rotation_robustness", _options(), dict(TWO_OF_ONE["rotation_robustness"]))
    alone.mkdir()
    begin(RunFolder(alone), settings, quiet=True, as_json=False)
    together = sorted((tmp_path / "all" / "rotation_robustness" / "rows.jsonl").read_text().splitlines())
    assert sorted((alone / "rows.jsonl").read_text().splitlines()) == together, "as if it had been trained here"


def test_a_dry_run_counts_it_once(two_of_one, capsys):
    group.run_group("practical2", _options("--dry-run", "--json"))
    found = {each["experiment"]: each["arms"] for each in json.loads(capsys.readouterr().out)["experiments"]}
    assert found["resnet"]["handbook"]["estimated_seconds"] > 0
    assert found["rotation_robustness"]["ResNet"]["estimated_seconds"] == 0
    assert found["rotation_robustness"]["MLP"]["estimated_seconds"] > 0
    assert found["vit"]["handbook"]["estimated_seconds"] == 0
    group.run_group("practical2", _options("--dry-run"))
    told = " ".join(capsys.readouterr().out.split())
    assert re.search(r"rotation_robustness 3 arms, about [\w .]+; not trained again: ResNet vit", told)
    assert "vit 1 arm, about 0 s; not trained again: handbook" in told


def test_a_groups_folder_is_told_from_a_run(gradlab, tmp_path):
    for name in ("all", "others"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "group.json").write_text("{}")
    told = gradlab("compare", "all", "others")
    assert told.returncode == 74
    assert "all holds several runs and a report of all, which `gradlab report all` makes anew" in told.stderr
    told = gradlab("report", "all")
    assert told.returncode == 74
    assert "group.json is damaged: it names no group of gradlab's" in told.stderr


@pytest.mark.parametrize("words", [["--patch-size", "4"], ["--quick", "--patch-size=4"]])
def test_a_flag_of_a_member_is_told_to_be_one(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as told:
        main(["practical2", *words])
    assert str(told.value) == (
        "--patch-size is a flag of rotation_robustness, pixel_shuffle, and practical2 runs each experiment by its own "
        "settings: run one with it, as in `gradlab run rotation_robustness --patch-size ...`"
    )
    assert not list(tmp_path.iterdir())


def test_a_practical_in_two_words_is_told_to_be_one():
    with pytest.raises(
        UsageError, match=r"^unknown experiment 'practical': did you mean 'practical2', as one word[?]$"
    ):
        main(["practical", "2"])


def test_so_is_one_that_switches_something_off(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^--no-warped is a flag of mlp_mnist, and slides runs"):
        main(["slides", "--no-warped"])


@pytest.mark.parametrize(
    ("of_members", "command"),
    [
        ([(0, 1, 2), (0, 1, 2)], "gradlab run slides"),
        ([(0, 1, 2, 7), (0, 1, 2, 7)], "gradlab run slides --seeds 0 1 2 7"),
        ([(0, 1, 2, 7), (0, 1, 2)], "gradlab run slides"),
        ([(0, 1, 2, 8, 7), (0, 1, 2, 7, 8)], "gradlab run slides --seeds 0 1 2 8 7"),
        ([(0, 1, 2, 7), (0, 1, 2, 8, 7)], "gradlab run slides --seeds 0 1 2 7"),
    ],
)
def test_the_command_of_all_has_the_seeds_that_all_have_by_now(of_members, command, tmp_path):
    members = []
    for number, seeds in enumerate(of_members):
        members.append(RunFolder(tmp_path / str(number)))
        members[-1].path.mkdir()
        write_json(members[-1].path / "config.json", {"seeds": seeds})
    asked = {"command": "gradlab run slides", "options": {"seeds": None}}
    assert group._repeating(asked, members) == command
