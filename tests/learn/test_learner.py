import json
from pathlib import Path

import pytest

from gradlab.errors import FileError, UsageError
from gradlab.learn.learner import STATE, LearnerFolder, Progress, find, read_source, start
from gradlab.learn.outline import chosen, outline, outlines


@pytest.fixture
def folder(tmp_path: Path) -> LearnerFolder:
    start(tmp_path / "mine", notebooks=False)
    return LearnerFolder(tmp_path / "mine")


def test_start_writes_every_exercise_and_never_over_a_learner_s_work(tmp_path):
    path = tmp_path / "a folder" / "ünï"
    counts = start(path, notebooks=True)
    assert counts["written"] == len(outlines()) + len({told.chapter.folder for told in outlines()})
    mine = path / outline("softmax").path
    mine.write_text("my work")
    (path / outline("mlp").path).unlink()
    state = (path / STATE).read_text()
    assert start(path, notebooks=True) == {"written": 1, "kept": counts["written"] - 1}
    assert mine.read_text() == "my work"
    assert (path / STATE).read_text() == state


def test_a_link_in_a_file_s_place_is_not_followed(folder, tmp_path):
    target = folder.path / outline("mlp").path
    target.unlink()
    target.symlink_to(tmp_path / "elsewhere.py")
    start(folder.path, notebooks=False)
    assert not (tmp_path / "elsewhere.py").exists()


def test_progress_is_remembered(folder):
    assert folder.progress("mlp") == Progress()
    folder.record("mlp", Progress(tries=2, hints=1, passed=True))
    folder.record("softmax", Progress(tries=1))
    assert LearnerFolder(folder.path).progress("mlp") == Progress(tries=2, hints=1, passed=True)
    first = outlines()[0].name
    next_one = folder.next_exercise()
    assert next_one is not None
    assert next_one.name == first
    folder.record(first, Progress(passed=True))
    next_one = folder.next_exercise()
    assert next_one is not None
    assert next_one.name == outlines()[1].name


def test_a_file_is_begun_when_it_differs_from_the_starter(folder):
    told = outline("mlp")
    assert not folder.begun(told)
    path = folder.path / told.path
    path.write_text(path.read_text() + "\n\n")
    assert not folder.begun(told), "empty lines are no work"
    path.write_text(path.read_text() + "x = 1\n")
    assert folder.begun(told)


def test_the_folder_is_found_from_below(folder, monkeypatch):
    monkeypatch.chdir(folder.path / "practical1")
    assert find(None).path == folder.path
    monkeypatch.chdir(folder.path.parent)
    with pytest.raises(UsageError, match="no exercises here: run `gradlab learn start FOLDER`"):
        find(None)
    with pytest.raises(UsageError, match="practical1 holds no exercises"):
        find(str(folder.path / "practical1"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"exercises": 3}',
        '{"exercises": {"mlp": {}}}',
        '{"exercises": {"mlp": {"tries": "1", "hints": 0, "passed": true}}}',
    ],
)
def test_a_damaged_state_is_told_with_the_remedy(folder, text):
    (folder.path / STATE).write_text(text)
    with pytest.raises(FileError, match="delete it and run"):
        folder.progress("mlp")


def test_the_state_is_plain_json(folder):
    folder.record("mlp", Progress(tries=1))
    document = json.loads((folder.path / STATE).read_text())
    assert document == {"schema": 1, "exercises": {"mlp": {"tries": 1, "hints": 0, "passed": False}}}


def test_files_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="UTF-8"):
        read_source(path)
    path.write_bytes(b"x" * 1_000_001)
    with pytest.raises(FileError, match="larger than 1 MB"):
        read_source(path)
    with pytest.raises(FileError, match="cannot read"):
        read_source(tmp_path / "missing.py")


def test_one_chapter_can_be_handed_out_and_is_all_that_is_asked_for(tmp_path):
    start(tmp_path / "mine", notebooks=True, chapters=["practical1"])
    folder = LearnerFolder(tmp_path / "mine")
    assert {path.name for path in (tmp_path / "mine" / "notebooks").iterdir()} == {"practical1.ipynb"}
    assert {told.chapter.folder for told in folder.exercises()} == {"practical1"}
    assert [told.name for told in folder.exercises()] == [told.name for told in chosen(["practical1"])]
    for told in folder.exercises():
        assert folder.next_exercise() == told
        folder.record(told.name, Progress(passed=True))
    assert folder.next_exercise() is None


def test_exercises_are_chosen_by_name_piece_file_or_chapter():
    practical = chosen(["practical1"])
    assert len(practical) > 5
    assert chosen(["practical1", "dropout"]) == practical
    assert [told.name for told in chosen(["somewhere/dropout.py", "softmax"])] == ["dropout", "softmax"]
    with pytest.raises(UsageError, match="did you mean 'practical1'"):
        chosen(["practcal1"])
