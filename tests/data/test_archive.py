import tarfile

import numpy as np
import pytest

from gradlab.data.archive import check_digest, read_members, unpack
from gradlab.data.published import Content
from gradlab.data.stream import drain
from gradlab.errors import DataUnavailableError
from tests.data.builders import md5, sha256, tar_gz

FILES = {"one.bin": bytes(range(256)) * 10_000, "two.bin": b"second"}
WANTED = [Content(name, len(content), sha256(content)) for name, content in FILES.items()]


def archive_of(tmp_path, members):
    content = tar_gz(members)
    (tmp_path / "a.tar.gz").write_bytes(content)
    return tmp_path / "a.tar.gz", sha256(content)


def read(archive, pinned):
    members = read_members(archive, "set", WANTED, pinned=pinned, remedy="fetch it")
    sizes = {content.name: content.size for content in WANTED}
    return {name: b"".join(block.tobytes() for block in drain(source, sizes[name])) for name, source in members}


def hostile(kind: bytes, name: str, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("prefix", ["set/", "./set/"])
def test_reads_wanted_members_in_any_order(tmp_path, prefix):
    members = [(prefix + name, content) for name, content in reversed(FILES.items())]
    assert read(*archive_of(tmp_path, [("set/readme.html", b"x" * 9999), *members])) == FILES


def test_nothing_hostile_is_written_or_read(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    members = [
        ("../escaped", b"1"),
        (str(tmp_path / "escaped"), b"2"),
        ("set/../../escaped", b"3"),
        (hostile(tarfile.SYMTYPE, "set/link", "/etc"), b""),
        ("set/link/escaped", b"4"),
        (hostile(tarfile.LNKTYPE, "set/hard", "../../escaped"), b""),
        (hostile(tarfile.CHRTYPE, "set/device"), b""),
        (hostile(tarfile.FIFOTYPE, "set/pipe"), b""),
        *((f"set/{name}", content) for name, content in FILES.items()),
    ]
    archive, pinned = archive_of(inside, members)
    unpack(archive, inside / "set", WANTED, pinned=pinned, remedy="")
    assert sorted(path.name for path in inside.rglob("*")) == ["a.tar.gz", "one.bin", "set", "two.bin"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside"]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ((hostile(tarfile.SYMTYPE, "set/one.bin", "/etc/passwd"), b""), "set/one.bin is no plain file"),
        ((hostile(tarfile.LNKTYPE, "set/one.bin", "/etc/passwd"), b""), "set/one.bin is no plain file"),
        ((hostile(tarfile.DIRTYPE, "set/one.bin"), b""), "set/one.bin is no plain file"),
        (("set/one.bin", bytes(2_560_001)), "set/one.bin is 2,560,001 bytes, expected 2,560,000"),
        (("set/one.bin", bytes(2_560_000)), r"member set/one.bin, is damaged: has sha256 \w+, expected"),
        (("elsewhere/one.bin", FILES["one.bin"]), "it lacks set/one.bin"),
    ],
)
def test_a_wanted_member_must_be_what_was_published(tmp_path, member, message):
    archive, pinned = archive_of(tmp_path, [member, ("set/two.bin", FILES["two.bin"])])
    with pytest.raises(DataUnavailableError, match=message):
        read(archive, pinned)


def test_the_archive_is_checked_before_it_is_opened(tmp_path, monkeypatch):
    archive, _ = archive_of(tmp_path, [("set/one.bin", b"")])
    monkeypatch.setattr(tarfile, "open", lambda *_: pytest.fail("opened"))
    with pytest.raises(DataUnavailableError, match=r"a.tar.gz is damaged: it has md5 \w+, expected 0123; fetch it"):
        read(archive, "md5:0123")


@pytest.mark.parametrize("left", [1, 30, 1000, 2_000_000])
def test_a_cut_archive_is_one_line(tmp_path, left):
    noise = np.random.default_rng(0).bytes(len(FILES["one.bin"]))
    content = tar_gz([("set/one.bin", noise), ("set/two.bin", FILES["two.bin"])])[:left]
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DataUnavailableError, match=r"a.tar.gz.* is damaged: .*; fetch it"):
        read(tmp_path / "a.tar.gz", sha256(content))


def test_whatever_the_tar_reader_raises_is_one_line(tmp_path, monkeypatch):
    """Over damaged headers Python's own reader also raises what is no error of archives."""
    archive, pinned = archive_of(tmp_path, list(FILES.items()))

    def stumble(*_arguments, **_options):
        raise TypeError("ord() expected a character")

    monkeypatch.setattr(tarfile, "open", stumble)
    with pytest.raises(DataUnavailableError, match=r"a\.tar\.gz is damaged: ord\(\) expected a character; fetch it"):
        read(archive, pinned)


def test_no_archive_at_all_is_one_line(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(DataUnavailableError, match=r"a.tar.gz is damaged: .*; fetch it"):
        read(tmp_path / "a.tar.gz", sha256(b"not an archive"))


def test_unpack_leaves_nothing_of_a_damaged_member(tmp_path):
    spoilt = FILES["one.bin"][:-1] + b"x"
    archive, pinned = archive_of(tmp_path, [("set/two.bin", FILES["two.bin"]), ("set/one.bin", spoilt)])
    with pytest.raises(DataUnavailableError, match=r"one.bin"):
        unpack(archive, tmp_path / "set", WANTED, pinned=pinned, remedy="")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["two.bin"]


def test_unpack_writes_members_and_tells_the_progress(tmp_path):
    archive, pinned = archive_of(tmp_path, [(f"set/{name}", content) for name, content in FILES.items()])
    told = []
    unpack(archive, tmp_path / "set", WANTED, pinned=pinned, remedy="", progress=lambda *step: told.append(step))
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()} == FILES
    assert told[-2:] == [("set/one.bin", 2_560_000, 2_560_000), ("set/two.bin", 6, 6)]


def test_check_digest_knows_both_kinds(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    check_digest(tmp_path / "a", md5(b"abc"))
    check_digest(tmp_path / "a", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    with pytest.raises(ValueError, match="expected 00"):
        check_digest(tmp_path / "a", "md5:00")
