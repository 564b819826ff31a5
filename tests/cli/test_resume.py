"""Killed, interrupted or terminated, a run goes on to the very bits of one that was left alone."""

import contextlib
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradlab.cli.resume import main
from gradlab.records import RunFolder, read_sealed, write_json, write_sealed
from gradlab.training.run import SPENT

QUICK = ("run", "lenet", "--quick", "--epochs", "3", "--seeds", "0", "2", "--arms", "slides", "recommended")


@pytest.fixture(scope="module")
def straight(tmp_path_factory, environment):
    folder = tmp_path_factory.mktemp("straight")
    command = [sys.executable, "-m", "gradlab", *QUICK, "--out", "run"]
    begin = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=250)
    return folder / "run", time.monotonic() - begin


def bits(folder):
    names = ["rows.jsonl", *sorted(str(path.relative_to(folder)) for path in folder.glob("weights/*"))]
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    finals = sorted(folder.glob("state/*/*"))
    return found | {str(path.relative_to(folder)): final_state(path) for path in finals}


def final_state(folder):
    from gradlab.training.state import newest_state

    tensors, meta = newest_state(folder)
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest(), meta["finished"], meta["epoch"]


NEW = (*QUICK, "--out", "run", "--save-seconds", "0.2")


def started(tmp_path, environment, *words):
    command = [sys.executable, "-m", "gradlab", *(words or NEW)]
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_state(folder, process, seconds=60):
    end = time.monotonic() + seconds
    while not list(folder.glob("state/*/*/*.state")) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)


@pytest.mark.parametrize("trial", range(3))
def test_killed_at_a_random_moment(trial, straight, gradlab, tmp_path, environment):
    reference, seconds = straight
    chance = random.Random(trial)
    for _ in range(2):  # killed, resumed, killed again
        resuming = (tmp_path / "run" / "config.json").exists()
        process = started(tmp_path, environment, *(("resume", "run") if resuming else NEW))
        wait_for_state(tmp_path / "run", process)
        time.sleep(chance.uniform(0, seconds / 3))
        process.kill()
        process.communicate()
    done = gradlab("resume", "run")
    assert done.returncode == 0, done.stderr
    assert bits(tmp_path / "run") == bits(reference)
    assert "not an exact resume" not in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)])
def test_a_signal_saves_and_says_how_to_resume(number, code, straight, gradlab, tmp_path, environment):
    process = started(tmp_path, environment)
    wait_for_state(tmp_path / "run", process)
    process.send_signal(number)
    begin = time.monotonic()
    _, text = process.communicate(timeout=30)
    assert process.returncode == code, text
    assert time.monotonic() - begin < 5
    assert "gradlab resume run" in text.strip().splitlines()[-1]
    assert "Traceback" not in text
    assert gradlab("resume", "run").returncode == 0
    assert bits(tmp_path / "run") == bits(straight[0])


def test_the_wall_time_is_that_of_all_sessions(gradlab, tmp_path, environment):
    process = started(tmp_path, environment)
    wait_for_state(tmp_path / "run", process)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=30)
    path = tmp_path / "run" / "remembered.sealed"
    remembered = json.loads(read_sealed(path))
    assert 0 < remembered[SPENT] < 60
    write_sealed(path, json.dumps({**remembered, SPENT: 1000.0}).encode())
    resumed = gradlab("resume", "run")
    assert resumed.returncode == 0
    assert "goes on where it was, after 16 min 40 s of work" in resumed.stderr
    assert 1000 < json.loads((tmp_path / "run" / "results.json").read_text())["seconds"] < 1100
    assert gradlab("resume", "run", "--add-seeds", "7").returncode == 0
    grown = json.loads((tmp_path / "run" / "results.json").read_text())["seconds"]
    assert 1000 < grown < 1100, "what was interrupted counts once"


def test_an_interrupted_report_loses_no_time(finished, gradlab, tmp_path):
    """The results are there by then, and a resume writes them anew."""
    run = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    for name in ("report.html", "report.pdf"):
        (run.path / name).unlink()
    told = run.document("results")
    write_json(run.path / "results.json", {**told, "seconds": 500.0})
    run.seal(finished=False)
    done = gradlab("resume", "run")
    assert done.returncode == 0, done.stderr
    assert 500 < run.document("results")["seconds"] < 600


def processes_in(folder):
    """Every process whose working folder this is."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (path / "cwd").resolve() == folder.resolve() and "Z" not in (path / "stat").read_text().split()[2]:
                found.append(path.name)
    return found


def test_a_killed_run_leaves_no_process_behind(tmp_path, environment):
    process = started(tmp_path, environment)
    wait_for_state(tmp_path / "run", process)
    assert len(processes_in(tmp_path)) == 3
    process.kill()
    process.communicate()
    end = time.monotonic() + 10
    while processes_in(tmp_path) and time.monotonic() < end:
        time.sleep(0.1)
    assert processes_in(tmp_path) == []


def test_a_finished_run_is_left_alone(gradlab, straight):
    before = bits(straight[0])
    done = gradlab("resume", str(straight[0]))
    assert done.returncode == 0
    assert "finished already" in done.stdout
    assert bits(straight[0]) == before


def test_two_processes_on_one_folder(tmp_path, environment, gradlab):
    longer = ["1000" if word == "3" else word for word in NEW]  # than the second one waits for it
    process = started(tmp_path, environment, *longer)
    wait_for_state(tmp_path / "run", process)
    second = gradlab("resume", "run")
    assert second.returncode == 74
    assert f"in use by process {process.pid}" in second.stderr
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_a_run_that_another_process_finished_meanwhile_is_left_as_it_is(gradlab, tmp_path, monkeypatch, capsys):
    assert gradlab("run", "xor", "--quick", "--seeds", "0", "--out", "run").returncode == 0
    found = iter([False, True])
    monkeypatch.setattr(RunFolder, "is_complete", property(lambda _folder: next(found)))
    before = (tmp_path / "run" / "report.html").stat().st_mtime_ns
    assert main([str(tmp_path / "run")]) == 0
    assert "is finished already" in capsys.readouterr().out
    assert (tmp_path / "run" / "report.html").stat().st_mtime_ns == before


def test_every_state_damaged_starts_anew_and_says_so(straight, gradlab, tmp_path, environment):
    process = started(tmp_path, environment)
    wait_for_state(tmp_path / "run", process)
    process.kill()
    process.communicate()
    time.sleep(0.5)
    for path in (tmp_path / "run").glob("state/*/*/*.state"):
        path.write_bytes(path.read_bytes()[:-100])
    done = gradlab("resume", "run")
    assert done.returncode == 0, done.stderr
    assert "is damaged" in done.stderr
    assert bits(tmp_path / "run") == bits(straight[0])
