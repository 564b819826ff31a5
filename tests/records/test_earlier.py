"""A finished run that goes on with other settings can be had back for as long as nothing new was measured."""

import errno
import os

import pytest

from gradlab.errors import FileError
from gradlab.records import RowJournal, RunFolder, earlier, forget, reopen, seconds_told, take_back, write_json

ROWS = [{"arm": "a", "seed": 0, "epoch": 1, "loss": 0.5}, {"arm": "a", "seed": 0, "split": "test", "accuracy": 0.9}]


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path)
    write_json(tmp_path / "config.json", {"seeds": [0]})
    for name in ("environment.json", "results.json", "report.html", "report.pdf"):
        (tmp_path / name).write_text("{}")
    journal = RowJournal(folder.rows_path)
    for row in ROWS:
        journal.add(row)
    journal.finish()
    folder.seal(finished=True)
    return folder


def content_of(run):
    """Every file but the seal, whose own content says nothing more."""
    return {
        path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file() and "digests" not in path.name
    }


@pytest.mark.parametrize(
    "damaged", ['{"seconds": ', '{"seconds": "x"}', '{"seconds": Infinity}', "[]", f'{{"seconds": 1{"0" * 400}}}']
)
def test_how_long_a_run_took_outlives_its_results(run, damaged):
    assert seconds_told(run) == 0
    (run.path / "results.json").write_text('{"seconds": 41.5}')
    assert seconds_told(run) == 41.5, "measured, but perhaps without a report yet"
    reopen(run, {"seeds": [0, 1]})
    assert not run.has("results")
    assert seconds_told(run) == 41.5
    (run.path / "earlier" / "results.json.kept").write_text(damaged)
    assert seconds_told(run) == 0, "a time is not worth losing the run for"


def no_space(*_arguments, **_options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_reopened_run_has_the_new_settings_and_is_not_complete(run):
    reopen(run, {"seeds": [0, 1]})
    assert run.document("config") == {"seeds": [0, 1]}
    assert not run.is_complete
    (run.path / "results.json").write_text("{}")  # killed between the new results and their report
    assert not run.is_complete, "the old report must not pass for that of the new results"
    assert [path.parent for path in run.path.rglob("results.json")] == [run.path], "what is kept is no run of its own"


def test_what_measured_nothing_new_is_taken_back(run):
    before = content_of(run)
    reopen(run, {"seeds": [0, 1]})
    again = RowJournal(run.rows_path)  # as when the run is executed
    again.add(ROWS[0])
    assert take_back(run)
    assert content_of(run) == before
    assert run.is_complete
    assert run.rows() == ROWS
    assert not (run.path / "earlier").exists()


def test_what_measured_something_is_not_taken_back(run):
    reopen(run, {"seeds": [0, 1]})
    RowJournal(run.rows_path).add({**ROWS[0], "seed": 1})
    assert not take_back(run)
    assert not run.is_complete
    assert run.document("config") == {"seeds": [0, 1]}


def test_half_a_line_is_nothing_new(run):
    reopen(run, {"seeds": [0, 1]})
    with run.rows_path.open("a") as rows:
        rows.write('{"arm": "a", "se')
    assert take_back(run)
    assert run.rows() == ROWS


def test_a_run_that_was_never_reopened_is_left_alone(run):
    assert not take_back(run)
    (run.path / "results.json").unlink()
    assert not take_back(run)


def test_a_run_that_finished_anew_is_not_taken_back(run):
    reopen(run, {"seeds": [0, 1]})
    (run.path / "results.json").write_text("{}")
    assert not take_back(run)
    forget(run)
    assert not (run.path / "earlier").exists()


@pytest.mark.parametrize(("step", "seeds"), [("make_folder", [0]), ("_copy", [0]), ("_remove", [0]),
                                             ("write_json", [0])])  # fmt: skip
def test_killed_at_a_step_a_run_is_finished_or_can_be_had_back(run, monkeypatch, step, seeds):
    monkeypatch.setattr(earlier, step, no_space)
    with pytest.raises(OSError, match="No space"):
        reopen(run, {"seeds": [0, 1]})
    monkeypatch.undo()
    assert run.document("config") == {"seeds": seeds}
    assert run.is_complete or take_back(run)
    assert run.rows() == ROWS
    reopen(run, {"seeds": [0, 1]})
    assert run.document("config") == {"seeds": [0, 1]}


def test_a_file_that_is_gone_is_named(run):
    (run.path / "environment.json").unlink()
    with pytest.raises(FileError, match=r"cannot read .*environment\.json"):
        reopen(run, {"seeds": [0, 1]})
    assert run.is_complete
