import errno
import hashlib
import json
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.errors import FileError
from gradlab.records.files import append_line, make_folder, sha256_of_file, write_atomically, write_failed, write_json

OLD, NEW = b"the old content\n", b"the new content, longer than the old\n"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3),
    max_leaves=8,
)


def no_space(*_arguments: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


few = settings(max_examples=12, deadline=None)  # each example waits for the disk


class DiskFull:
    """A file that takes half of what is written to it."""

    def __init__(self, file) -> None:
        self.file = file

    def __enter__(self) -> "DiskFull":
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()

    def write(self, content: bytes) -> None:
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        no_space()


def break_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    open_handle = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda handle, mode: DiskFull(open_handle(handle, mode)))


BREAKS = {
    "no temporary file": lambda monkeypatch: monkeypatch.setattr("tempfile.mkstemp", no_space),
    "half a write": break_writing,
    "no sync": lambda monkeypatch: monkeypatch.setattr(os, "fsync", no_space),
    "no rename": lambda monkeypatch: monkeypatch.setattr(os, "replace", no_space),
    "no permissions": lambda monkeypatch: monkeypatch.setattr(Path, "chmod", no_space),
}


def in_place(path: Path, content: bytes) -> None:
    """A wrong way: opens the target itself, so that a disk that gets full leaves half of the new content."""
    try:
        with path.open("wb") as file, DiskFull(file) as full:
            full.write(content)
    except OSError as error:
        raise FileError("cannot write") from error


def check_keeps_the_old_file(write: Callable[[Path, bytes], None], folder: Path) -> None:
    path = folder / "file.bin"
    with pytest.raises(FileError):
        write(path, NEW)
    assert path.read_bytes() == OLD
    assert [entry.name for entry in folder.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("way", BREAKS)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(way, tmp_path, monkeypatch):
    (tmp_path / "file.bin").write_bytes(OLD)
    with monkeypatch.context() as patched:
        # The rename goes through Path.replace, which calls os.replace.
        BREAKS[way](patched)
        check_keeps_the_old_file(write_atomically, tmp_path)


def test_a_write_in_place_is_told_apart(tmp_path):
    (tmp_path / "file.bin").write_bytes(OLD)
    with pytest.raises(AssertionError):
        check_keeps_the_old_file(in_place, tmp_path)


@pytest.mark.parametrize("way", BREAKS)
def test_a_failed_first_write_leaves_no_file(way, tmp_path, monkeypatch):
    BREAKS[way](monkeypatch)
    with pytest.raises(FileError, match=r"cannot write .*file\.bin: No space left on device \(37 bytes needed\)"):
        write_atomically(tmp_path / "file.bin", NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_keyboard_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(_handle: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "file.bin").write_bytes(OLD)
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file.bin", NEW)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.bin"]
    assert (tmp_path / "file.bin").read_bytes() == OLD


def test_the_bytes_reach_the_disk_before_the_name_and_the_name_before_the_return(tmp_path, monkeypatch):
    order = []
    sync, rename = os.fsync, Path.replace

    def note_sync(handle: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def note_rename(source: Path, target: Path) -> Path:
        order.append("rename")
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_rename)
    write_atomically(tmp_path / "file.bin", NEW)
    assert order == ["file", "rename", "folder"]


def test_a_folder_that_cannot_be_synced_does_no_harm(tmp_path, monkeypatch):
    sync = os.fsync

    def files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            no_space()
        sync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    write_atomically(tmp_path / "file.bin", NEW)
    assert (tmp_path / "file.bin").read_bytes() == NEW


@pytest.mark.parametrize(("mask", "mode"), [(0o027, 0o640), (0, 0o666)])
def test_a_new_file_has_the_permissions_that_the_user_asked_for(mask, mode, tmp_path):
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "file.bin", NEW)
        assert os.umask(mask) == mask, "the mask must be as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.bin").stat().st_mode) == mode


def test_a_missing_folder_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match=r"cannot write .*nowhere.*: No such file or directory"):
        write_atomically(tmp_path / "nowhere" / "file.bin", NEW)


@few
@given(content=st.binary(max_size=200))
def test_content_comes_back(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "file.bin"
    write_atomically(path, b"something before")
    write_atomically(path, content)
    assert path.read_bytes() == content
    assert sha256_of_file(path) == hashlib.sha256(content).hexdigest()


@few
@given(document=JSON)
def test_json_comes_back_and_is_byte_identical(document, tmp_path_factory):
    folder = tmp_path_factory.mktemp("json")
    write_json(folder / "first.json", document)
    write_json(folder / "second.json", document)
    assert json.loads((folder / "first.json").read_bytes()) == document
    assert (folder / "first.json").read_bytes() == (folder / "second.json").read_bytes()


def test_json_is_for_people(tmp_path):
    write_json(tmp_path / "document.json", {"arm": "größer", "seeds": [0]})
    assert (tmp_path / "document.json").read_text() == '{\n  "arm": "größer",\n  "seeds": [\n    0\n  ]\n}\n'


def test_json_takes_file_names_that_are_no_utf_8(tmp_path):
    name = os.fsdecode(b"runs/\xff")
    write_json(tmp_path / "document.json", {"command": name})
    assert json.loads((tmp_path / "document.json").read_bytes()) == {"command": name}


def test_json_refuses_what_is_no_number_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "document.json"
    write_json(path, {"loss": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"loss": math.nan})
    assert json.loads(path.read_bytes()) == {"loss": 1.0}


def test_appended_lines_are_on_the_disk_at_once(tmp_path):
    path = tmp_path / "lines.txt"
    for count, line in enumerate(["first", "zweite Zeile: ä", ""], start=1):
        append_line(path, line)
        assert path.read_bytes().count(b"\n") == count
    assert path.read_text(encoding="utf-8") == "first\nzweite Zeile: ä\n\n"


def test_a_line_that_cannot_be_appended_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match=r"Is a directory \(6 bytes needed\)"):
        append_line(tmp_path, "hello")


def test_a_folder_is_made_with_those_above_it_and_may_be_there(tmp_path):
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_below_a_file_is_a_file_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileError, match="cannot make the folder"):
            make_folder(path)


def test_the_digest_of_a_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_digest_of_a_missing_file_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match=r"cannot read .*nothing: No such file"):
        sha256_of_file(tmp_path / "nothing")


def test_an_error_without_a_number_still_says_why(tmp_path):
    assert "the device went away (1,234,567 bytes needed)" in str(
        write_failed(tmp_path, OSError("the device went away"), needed=1_234_567)
    )
