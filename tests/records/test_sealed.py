import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.errors import FileError
from gradlab.records.sealed import MAGIC, read_sealed, write_sealed

CONTENT = b"weights \x00\xff and a second line\nof a state"


class Held:
    """A file held in memory, for the checks that read thousands."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read_bytes(self) -> bytes:
        return self.content


def check_finds_every_flipped_bit(read: Callable[[Any], bytes], whole: bytes) -> None:
    for position in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[position] ^= 1 << bit
            with pytest.raises(FileError, match="damaged"):
                read(Held(bytes(changed)))


def without_digest(path: Any) -> bytes:
    """A wrong reader that trusts magic word and length."""
    line, _, content = path.read_bytes().partition(b"\n")
    fields = line.split(b" ")
    if fields[0] != MAGIC or fields[2:] != [b"%d" % len(content)]:
        raise FileError("damaged")
    return content


@pytest.fixture
def sealed(tmp_path) -> Path:
    path = tmp_path / "sealed"
    write_sealed(path, CONTENT)
    return path


@settings(max_examples=12, deadline=None)
@given(content=st.binary(max_size=300))
def test_content_comes_back(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("sealed") / "file"
    write_sealed(path, content)
    assert read_sealed(path) == content


def test_the_layout_is_one_line_then_the_content(tmp_path):
    write_sealed(tmp_path / "sealed", b"abc")
    digest = b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert (tmp_path / "sealed").read_bytes() == b"gradlab-sealed-1 " + digest + b" 3\nabc"


def test_every_flipped_bit_is_found(sealed):
    check_finds_every_flipped_bit(read_sealed, sealed.read_bytes())
    assert read_sealed(sealed) == CONTENT


def test_a_reader_without_a_digest_is_told_apart(sealed):
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_finds_every_flipped_bit(without_digest, sealed.read_bytes())


def test_every_truncation_is_found(sealed):
    whole = sealed.read_bytes()
    for length in range(len(whole)):
        with pytest.raises(FileError, match="damaged"):
            read_sealed(Held(whole[:length]))


@pytest.mark.parametrize("more", [b"\x00", b"\n", b"a second file\n", CONTENT])
def test_appended_bytes_are_found(sealed, more):
    sealed.write_bytes(sealed.read_bytes() + more)
    with pytest.raises(FileError, match="another length"):
        read_sealed(sealed)


def test_swapped_bytes_are_found(sealed):
    whole = bytearray(sealed.read_bytes())
    whole[-1], whole[-2] = whole[-2], whole[-1]
    sealed.write_bytes(whole)
    with pytest.raises(FileError, match="its SHA-256 does not match"):
        read_sealed(sealed)


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"\n",
        b"plain text\n",
        b"\x89PNG\r\n\x1a\n",
        b"other-sealed-1 " + hashlib.sha256(b"").hexdigest().encode() + b" 0\n",
        MAGIC + b" " * 200 + b"\n",
        MAGIC + b" " + hashlib.sha256(b"").hexdigest().encode() + b" 0 more\n",
    ],
)
def test_a_foreign_file_is_refused(tmp_path, foreign):
    (tmp_path / "foreign").write_bytes(foreign)
    with pytest.raises(FileError, match="its first line is not that of a sealed gradlab file"):
        read_sealed(tmp_path / "foreign")


def test_a_missing_file_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match=r"cannot read .*nothing: No such file"):
        read_sealed(tmp_path / "nothing")


def test_a_failed_write_keeps_the_old_seal(sealed, monkeypatch):
    def fail(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(FileError, match="Input/output error"):
        write_sealed(sealed, b"newer")
    assert read_sealed(sealed) == CONTENT
