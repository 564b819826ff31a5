import errno
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.errors import FileError, UsageError
from gradlab.records import folder as folder_module
from gradlab.records import write_json
from gradlab.records.folder import RunFolder, new_run_folder, slug
from gradlab.records.journal import RowJournal

HOLD = """
import sys
from pathlib import Path
from gradlab.records.folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return new_run_folder(tmp_path / "run", "lenet")


@pytest.fixture
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(folder_module, "LOCK_SECONDS", 0.05)


def no_space(*_arguments: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# --- where a run goes


def test_a_new_folder_is_made_with_those_above_it_and_is_empty(tmp_path):
    folder = new_run_folder(tmp_path / "a" / "b", "lenet")
    assert folder.path == tmp_path / "a" / "b"
    assert list(folder.path.iterdir()) == []


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "run").mkdir()
    assert new_run_folder(tmp_path / "run", "lenet").path == tmp_path / "run"


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / ".hidden").write_text("mine")
    with pytest.raises(UsageError, match="is not a new or empty folder: name a new one"):
        new_run_folder(tmp_path, "lenet")
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]


def test_a_folder_that_holds_a_run_points_to_resume(tmp_path):
    write_json(tmp_path / "config.json", {})
    with pytest.raises(UsageError, match=f"name a new one, or go on .*: gradlab resume {re.escape(str(tmp_path))}$"):
        new_run_folder(tmp_path, "lenet")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(UsageError, match="is not a new or empty folder"):
        new_run_folder(tmp_path / "run", "lenet")
    with pytest.raises(FileError, match=r"cannot write to .*Not a directory; choose another --out"):
        new_run_folder(tmp_path / "run" / "below", "lenet")


def test_without_out_the_folder_tells_experiment_and_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = time.time()
    folder = new_run_folder(None, "lenet")
    assert folder.path.parent == Path("runs/lenet")
    started = time.mktime(time.strptime(folder.path.name, "%Y-%m-%d_%H-%M-%S"))
    assert int(before) <= started <= time.time()
    assert folder.path.is_dir()


def test_runs_that_start_in_the_same_second_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "strftime", lambda _form: "2026-01-02_03-04-05")
    names = [new_run_folder(None, "lenet").path.name for _ in range(3)]
    assert names == ["2026-01-02_03-04-05", "2026-01-02_03-04-05_2", "2026-01-02_03-04-05_3"]


def test_a_name_that_another_process_takes_in_between_is_not_shared(tmp_path, monkeypatch):
    """Both see the name free; only the one that makes the folder has it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "strftime", lambda _form: "now")
    new_run_folder(None, "lenet")
    with monkeypatch.context() as blind:
        blind.setattr(Path, "exists", lambda _path, **_options: False)
        assert folder_module._fresh(Path("runs/lenet")).name == "now_2"


def test_a_place_that_cannot_hold_runs_is_a_file_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").write_text("a file")
    with pytest.raises(FileError, match=r"cannot write to runs/lenet: .*; choose another --out"):
        new_run_folder(None, "lenet")


def test_a_full_disk_is_noticed_before_training_and_nothing_is_left(tmp_path, monkeypatch):
    write = Path.write_bytes

    def half(path: Path, content: bytes) -> None:
        write(path, content[:2])
        no_space()

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(FileError, match="No space left on device; choose another --out"):
        new_run_folder(tmp_path / "run", "lenet")
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("refused", ["mkdir", "write_bytes"])
def test_a_read_only_place_is_noticed_before_training(refused, tmp_path, monkeypatch):
    """Nothing can be made there, or the folder is there and nothing can be written into it."""

    def read_only(_path: Path, *_arguments, **_options) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, refused, read_only)
    with pytest.raises(FileError, match="run: Read-only file system; choose another --out"):
        new_run_folder(tmp_path / "run", "lenet")


# --- what lies where


def test_the_layout(folder):
    assert folder.rows_path == folder.path / "rows.jsonl"
    assert folder.state == folder.path / "state"
    assert folder.board == folder.path / "tensorboard"
    assert folder.weights("300+100 warped", 2) == folder.path / "weights" / "300-100-warped-2.safetensors"


def test_rows_are_those_of_the_journal(folder):
    assert folder.rows() == []
    RowJournal(folder.rows_path).add({"arm": "a", "seed": 0})
    assert folder.rows() == [{"arm": "a", "seed": 0}]


def test_documents_come_back(folder):
    assert not folder.has("config")
    write_json(folder.path / "config.json", {"seeds": [0, 1]})
    assert folder.has("config")
    assert folder.document("config") == {"seeds": [0, 1]}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"null", b"\xff\xfe\x00", b'{"a": 1}{', b"[" * 100_000])
def test_a_damaged_document_is_a_file_error(folder, content):
    (folder.path / "config.json").write_bytes(content)
    with pytest.raises(FileError, match=r"config\.json is damaged"):
        folder.document("config")


def test_a_folder_of_runs_names_one_of_them(tmp_path):
    for name in ("vit", "lenet"):
        write_json(new_run_folder(tmp_path / name, name).path / "config.json", {})
    with pytest.raises(FileError, match=rf"is no run but holds some, such as {tmp_path / 'lenet'}: name one"):
        RunFolder(tmp_path).document("config")


def test_a_missing_document_asks_whether_this_is_a_run(folder):
    with pytest.raises(FileError, match=r"cannot read .*results\.json: No such file.*is .*run a gradlab run\?"):
        folder.document("results")


def test_arrays_come_back(folder):
    arrays = {
        "pixels": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        "probability": np.array([0.1, np.nan], np.float32).reshape(2, 1).T,
        "count": np.array(3),
        "names": np.array(["a", "größer"]),
    }
    folder.write_arrays("300+100 warped", **arrays)
    found = folder.arrays("300+100 warped")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_missing_arrays_are_none(folder):
    assert folder.arrays("LeNet") == {}


def test_python_objects_are_refused_both_ways(folder):
    with pytest.raises(ValueError, match="allow_pickle"):
        folder.write_arrays("LeNet", objects=np.array([{}], dtype=object))
    assert folder.arrays("LeNet") == {}
    (folder.path / "arrays").mkdir(exist_ok=True)
    np.savez(folder.path / "arrays" / "LeNet.npz", objects=np.array([{}], dtype=object))
    with pytest.raises(FileError, match=r"is damaged: .*allow_pickle"):
        folder.arrays("LeNet")


def test_damaged_arrays_are_a_file_error(folder):
    folder.write_arrays("LeNet", confusion=np.arange(1000))
    path = folder.path / "arrays" / "LeNet.npz"
    whole = path.read_bytes()
    for broken in (b"", b"no archive", whole[: len(whole) // 2], whole[:60] + b"\x00" * 40 + whole[100:]):
        path.write_bytes(broken)
        with pytest.raises(FileError, match=r"LeNet\.npz is damaged"):
            folder.arrays("LeNet")


def test_files_that_are_no_arrays_are_refused(folder):
    folder.write_arrays("LeNet", confusion=np.eye(2))
    with zipfile.ZipFile(folder.path / "arrays" / "LeNet.npz", "a") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(FileError, match="holds something else than arrays"):
        folder.arrays("LeNet")


def test_arrays_that_cannot_be_written_are_a_file_error(folder):
    (folder.path / "arrays").write_text("a file where the folder should be")
    with pytest.raises(FileError, match="cannot make the folder"):
        folder.write_arrays("LeNet", confusion=np.zeros(1))


# --- one writer at a time


def test_another_process_holds_the_folder(folder, impatient):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "locked\n"
        with (
            pytest.raises(FileError, match=f"is in use by process {holder.pid}; wait for it or choose another --out"),
            folder.locked(),
        ):
            pytest.fail("two writers")
        holder.kill()
    with folder.locked():
        assert (folder.path / ".holder").read_text() == str(os.getpid()), "a killed process holds nothing"


def test_the_folder_is_free_again_after_success_and_failure(folder, impatient):
    with pytest.raises(KeyError), folder.locked():
        raise KeyError
    with folder.locked():
        assert (folder.path / ".holder").read_text() == str(os.getpid())
    assert not (folder.path / ".holder").exists()


def test_what_a_killed_writer_left_half_written_is_cleared_away(folder):
    left = [folder.path / ".rows.jsonl.x1.part", folder.path / "state" / "LeNet" / "seed-0" / ".1.state.y2.part"]
    left[1].parent.mkdir(parents=True)
    for path in left:
        path.write_bytes(b"half")
    (folder.path / "notes.part").write_bytes(b"the user's own")
    with folder.locked():
        assert not any(path.exists() for path in left)
    assert (folder.path / "notes.part").exists()


def test_files_that_cannot_be_removed_neither_stop_a_run_nor_keep_the_lock(folder, impatient, monkeypatch):
    (folder.path / ".rows.jsonl.x1.part").write_bytes(b"half")
    monkeypatch.setattr(Path, "unlink", no_space)
    for _ in range(2):
        with folder.locked():
            pass


def test_one_process_cannot_hold_it_twice(folder, impatient):
    with (
        folder.locked(),
        pytest.raises(FileError, match=f"in use by process {os.getpid()}"),
        RunFolder(folder.path).locked(),
    ):
        pytest.fail("two writers")


def test_a_lock_that_cannot_be_taken_is_a_file_error(tmp_path, impatient):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(FileError, match="cannot lock"), RunFolder(tmp_path / "run").locked():
        pytest.fail("no lock")


def test_a_disk_too_full_for_the_holder_s_number_frees_the_lock(folder, impatient, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        with pytest.raises(FileError, match="No space left"), folder.locked():
            pytest.fail("no note of the holder")
    with folder.locked():
        pass


# --- names


def check_safe(name: str) -> None:
    made = slug(name)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", made)
    assert made not in (".", "..")
    assert not made.startswith((".", "-"))
    assert slug(made) == made
    assert (Path("folder") / made).parent == Path("folder")


@given(name=st.text())
def test_a_slug_is_a_safe_file_name(name):
    check_safe(name)


@given(name=st.text(alphabet="./\\-_ ~a\x00\n", max_size=8))
def test_a_slug_of_dots_and_slashes_is_a_safe_file_name(name):
    check_safe(name)


@given(name=st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?", fullmatch=True))
def test_a_safe_name_stays_as_it_is(name):
    assert slug(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "unnamed"),
        ("..", "unnamed"),
        ("../../etc/passwd", "etc-passwd"),
        ("300+100 warped", "300-100-warped"),
        ("größer", "gr-er"),
        ("lr 0.1", "lr-0.1"),
        ("-rf", "rf"),
    ],
)
def test_slugs_by_hand(name, expected):
    assert slug(name) == expected
