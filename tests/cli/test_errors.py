"""What the command line says when a command ends in an error, and its exit code."""

import errno
import os

import pytest

from gradlab.cli import BARRED, main
from gradlab.errors import FileError, InterruptedRunError, UsageError

LONG = "x" * 5000


def failing(error: BaseException):
    def dispatch(_words):
        raise error

    return dispatch


@pytest.mark.parametrize(
    "words",
    [
        ["data", "show", LONG],
        ["data", "show", f"folder:{LONG}"],
        ["data", "list", "--data-root", LONG],
        ["report", LONG],
        ["resume", LONG],
        ["compare", LONG, "other"],
        ["predict", LONG, "a.png"],
        ["explain", LONG],
    ],
    ids=lambda words: " ".join(words).replace(LONG, "LONG"),
)
def test_a_path_too_long_for_any_system_is_no_bug(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 74
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gradlab: cannot ")
    assert line.endswith(f": {os.strerror(errno.ENAMETOOLONG)}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", sorted(BARRED))
def test_what_a_system_refuses_is_no_bug(number, capsys, monkeypatch):
    monkeypatch.setattr("gradlab.cli._dispatch", failing(OSError(number, os.strerror(number), "some/file")))
    assert main([]) == 74
    assert capsys.readouterr().err == f"gradlab: cannot use some/file: {os.strerror(number)}\n"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UsageError("no such\nthing"), 2, "gradlab: no such thing"),
        (FileError("cannot read it"), 74, "gradlab: cannot read it"),
        (InterruptedRunError("stopped", exit_code=143), 143, "gradlab: stopped"),
        (KeyboardInterrupt(), 130, "gradlab: interrupted"),
        (MemoryError(), 74, "gradlab: out of memory: use fewer seeds at a time or a smaller batch"),
        (
            ZeroDivisionError("by zero"),
            70,
            "gradlab: bug in gradlab: ZeroDivisionError: by zero; run again with --debug",
        ),
        (OSError(errno.EIO, "without a file"), 70, "gradlab: bug in gradlab: OSError: [Errno 5] without a file; run"),
        (
            FileNotFoundError(errno.ENOENT, "gone", "own"),
            70,
            "gradlab: bug in gradlab: FileNotFoundError: [Errno 2] gone",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_is_one_line_and_its_code(error, code, told, capsys, monkeypatch):
    monkeypatch.setattr("gradlab.cli._dispatch", failing(error))
    assert main([]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(told)
    assert main(["--debug"]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1
    assert lines[-1] == line
