import subprocess

import pytest

from tests.reliability.families import bits
from tests.reliability.faults import end_of
from tests.reliability.signals import COMMAND, Trial, command, orphans, said


@pytest.fixture(scope="module")
def trial(tmp_path_factory) -> Trial:
    return Trial(tmp_path_factory.mktemp("signals"))


def test_a_new_folder_that_two_runs_want_goes_to_one_of_them(trial):
    loser, wrong = trial.raced("race", 0.0)
    assert wrong == []
    assert loser in ("2", "74")


def test_a_file_that_may_not_grow_stops_the_run_with_its_reason(trial):
    assert trial.full_disk("disk", 3000) == []
    pid = command(trial.place, (*COMMAND, "--out", "small"), most_bytes=3000)
    assert end_of(pid) == 74
    assert "File too large" in said(trial.place, pid)


def test_a_process_that_is_left_behind_is_told_apart(monkeypatch):
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    monkeypatch.setattr("tests.reliability.signals.PATIENCE", 0.1)
    try:
        assert orphans(left.pid) == [left.pid]
    finally:
        left.kill()
        left.wait()
    assert orphans(left.pid) == []


def test_the_folder_of_the_straight_run_is_whole(trial):
    assert {"rows.jsonl", "weights/logistic-regression-0.safetensors"} <= set(bits(trial.place / "straight"))
