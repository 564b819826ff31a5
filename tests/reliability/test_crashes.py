import random
from pathlib import Path

import pytest

from gradlab.errors import FileError
from gradlab.records import files
from tests.reliability.crashes import Trial, at_every_event, at_random
from tests.reliability.faults import FAULTS, Events, end_of, forked


def test_a_fault_at_file_events_costs_one_interval_at_most():
    events, trials, wrong = at_every_event("logistic regression", 32)
    assert events > 100
    assert trials > 3 * len(FAULTS)
    assert wrong == []


def test_kills_at_random_moments():
    kills, wrong = at_random(6, random.Random(0))
    assert kills == 6
    assert wrong == []


def write_in_place(path: Path, content: bytes) -> None:
    """A wrong way: a kill in the middle of it leaves neither the old file nor the new one."""
    try:
        with path.open("wb") as file:
            file.write(content)
    except OSError as error:
        raise FileError("cannot write") from error


def test_states_written_in_place_are_told_apart(tmp_path, monkeypatch):
    """With the first of two states torn, nothing is left of what was trained."""
    monkeypatch.setattr("gradlab.records.sealed.write_atomically", write_in_place)
    trial = Trial("logistic regression", tmp_path)
    events = trial.events()
    first = next(number for number, name in enumerate(events) if name == "write" and number > events.index("mkdir"))
    wrong = [what for event in range(first, first + 12) for what in trial.broken_at(event, "torn")]
    assert any("steps lost" in what or "resume failed" in what for what in wrong)


def test_each_fault_happens_where_it_should(tmp_path):
    path = tmp_path / "file"

    def left_by(fault: str, at: int) -> tuple[int, bytes | None, int]:
        (tmp_path / "told").write_text("")
        path.unlink(missing_ok=True)
        events = Events(tmp_path, at=at, fault=fault)

        def work() -> None:
            with events.watched():
                files.append_line(path, "12345")

        code = end_of(forked(work, tmp_path / "told"))
        return code, path.read_bytes() if path.exists() else None

    with Events(tmp_path).watched() as events:
        files.append_line(path, "12345")
    assert events.names == ["open", "write"]
    assert left_by("kill", 0) == (-9, None)
    assert left_by("torn", 0) == (-9, b"")
    assert left_by("kill", 1) == (-9, b"")
    assert left_by("torn", 1) == (-9, b"123")
    assert left_by("ENOSPC", 0) == (74, None)
    assert left_by("EIO", 1) == (74, b"123")
    assert left_by("kill", 2) == (0, b"12345\n")


def test_reading_is_no_event(tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    with Events(tmp_path, at=0, fault="EIO").watched() as events:
        assert (tmp_path / "file").read_bytes() == b"1"
    assert events.names == []


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO"])
def test_the_error_names_the_path(fault, tmp_path):
    with Events(tmp_path, at=0, fault=fault).watched(), pytest.raises(FileError, match=str(tmp_path / "file")):
        files.write_atomically(tmp_path / "file", b"content")
