import gzip
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradlab.cli.settings import checked_settings, configured, load_experiment
from gradlab.data import decode
from gradlab.data.loading import load_published
from gradlab.data.places import find
from gradlab.errors import DataUnavailableError, FileError, GradlabError
from gradlab.learn.sandbox import Workshop
from gradlab.records import RunFolder, read_rows, read_weights
from gradlab.training.state import newest_state
from tests.data.builders import put, tiny_mnist
from tests.reliability.guard import MEBIBYTE, Guard, Limits
from tests.reliability.hostile import LONGEST_SECONDS, MOST_MEBIBYTES, all_parsers, fuzz
from tests.reliability.learner_files import LIMITS
from tests.reliability.parsers import Parser

NAMES = ("images", "folders", "IDX", "CIFAR", "STL-10 images", "STL-10 labels", "archives", "states",
         "states, sealed anew", "weights", "rows", "arrays", "configs", "command lines", "learners' files",
         "learners' files, run", "learners' notebooks", "learners' progress", "learners' answers")  # fmt: skip
COSTLY = ("states", "states, sealed anew", "learners' files, run")
PASS_OVER = ("states", "rows", "learners' files, run", "learners' answers")
"""These warn of what is damaged, or name it in a verdict."""
PICKLE = b"cposix\nsystem\n(S'touch executed'\ntR."
"""What runs a program as soon as it is unpickled."""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def known(place) -> Iterator[dict[str, Parser]]:
    working = Workshop(LIMITS)
    yield {parser.name: parser for parser in all_parsers(place, working)}
    working.close()


@pytest.fixture(scope="module")
def guard(place, known) -> Guard:
    assert known, "everything is loaded before memory is counted"
    return Guard(place)


@pytest.mark.parametrize("name", NAMES)
def test_any_input_is_read_right_or_refused(name, known, guard, place, monkeypatch):
    monkeypatch.chdir(place)
    found = fuzz(known[name], 15 if name in COSTLY else 60, guard)
    assert found["wrong"] == []
    assert found["refused"] > 0 or name in PASS_OVER


def test_these_are_all_parsers(known):
    assert tuple(known) == NAMES


WRONG = {
    "takes anything for data": lambda content: None if content else "nothing",
    "raises what Python raises": lambda content: json.loads(content) and None,
    "writes elsewhere": lambda content: Path(os.path.devnull).open("wb").close(),
    "unpickles": lambda content: __import__("pickle").loads(b"cbuiltins\nlen\n(]tR.") and None,
    "takes the memory": lambda content: np.ones(MOST_MEBIBYTES * MEBIBYTE // 7).sum() and None,
}


@pytest.mark.parametrize(("what", "told"), [
    ("raises what Python raises", "JSONDecodeError"),
    ("writes elsewhere", "did open /dev/null"),
    ("unpickles", "did pickle.find_class"),
    ("takes the memory", "MiB"),
])  # fmt: skip
def test_a_wrong_parser_is_told_apart(what, told, guard):
    found = fuzz(Parser("wrong", (b"[1]",), WRONG[what], lambda _content, _chance: b"["), 2, guard)
    assert told in " | ".join(found["wrong"])


def test_a_parser_that_is_right_is_not_blamed(guard):
    assert fuzz(Parser("right", (b"[1]",), WRONG["takes anything for data"]), 2, guard)["wrong"] == []


# --- attacks by name


def test_pickles_posing_as_data_are_refused_and_not_run(tmp_path, monkeypatch, known, guard):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(PICKLE)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / f"{1:012d}.state").write_bytes(PICKLE)
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays" / "file.npz").write_bytes(PICKLE)
    (tmp_path / "config.json").write_bytes(PICKLE)
    run = RunFolder(tmp_path)
    with guard.watched():
        for read in (
            lambda: decode.read_picture(tmp_path / "file", 8),
            lambda: read_weights(tmp_path / "file"),
            lambda: run.document("config"),
            lambda: run.arrays("file"),
            *(lambda name=name: known[name].parse(PICKLE) for name in ("IDX", "CIFAR", "STL-10 labels", "archives")),
        ):
            with pytest.raises(GradlabError):
                read()
        with pytest.warns(UserWarning, match="is damaged"):
            assert newest_state(tmp_path / "state") is None
        assert read_rows(tmp_path / "file") == []
    assert [what for what in guard.seen if "pickle" in what or "system" in what] == []
    guard.seen.clear()
    assert not (tmp_path / "executed").exists()


def test_a_gzip_bomb_with_a_forged_header_takes_no_memory(tmp_path):
    published, packed = tiny_mnist()
    bomb = bytes([0, 0, 8, 3]) + struct.pack(">3I", 1900, 1000, 1000) + np.random.default_rng(0).bytes(2 * MEBIBYTE)
    put(tmp_path / "mnist", {**packed, next(iter(packed)): gzip.compress(bomb, 1)})
    place = find(published, tmp_path)
    assert place is not None
    limits = Limits()
    with limits.one(), pytest.raises(DataUnavailableError, match=r"its header promises 1900x1000x1000"):
        load_published(published, place, published.contents, split_seed=1)
    assert limits.growth() < 50
    assert limits.longest_seconds < 2


def test_a_bomb_of_arrays_takes_no_memory(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (600 * MEBIBYTE,)})
    (tmp_path / "arrays").mkdir()
    path = tmp_path / "arrays" / "a.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.npy", "w") as member,
    ):
        member.write(header.getvalue())
        for _ in range(300):
            member.write(bytes(MEBIBYTE))
    limits = Limits()
    with limits.one(), pytest.raises(FileError, match="it unpacks to more than"):
        RunFolder(tmp_path).arrays("a")
    assert limits.growth() < 50


def rotated_png(path: Path, side: int, depth: int, kind: int) -> None:
    """A black image, to be turned by its viewer, made without being held."""
    pack, row = zlib.compressobj(1), bytes(1 + side * (1 if kind == 0 else 4) * depth // 8)
    packed = b"".join(pack.compress(row) for _ in range(side)) + pack.flush()
    exif = Image.Exif()
    exif[0x0112] = 6
    header = struct.pack(">2I5B", side, side, depth, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"eXIf", exif.tobytes()[6:]), (b"IDAT", packed), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.parametrize(("depth", "kind"), [(16, 0), (8, 6)], ids=["16-bit grey", "transparent"])
def test_a_picture_of_the_most_pixels_takes_bounded_memory(tmp_path, depth, kind):
    rotated_png(tmp_path / "a.png", 6000, depth, kind)
    assert (tmp_path / "a.png").stat().st_size < MEBIBYTE, "a bomb: small on disk"
    limits = Limits()
    with limits.one():
        decode.read_picture(tmp_path / "a.png", 8)
    assert limits.growth() < MOST_MEBIBYTES
    assert limits.longest_seconds < LONGEST_SECONDS


@pytest.mark.parametrize("length", [2**63, 10**8 + 1, 2**32, 0])
def test_forged_headers_of_weights_are_refused(length, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", length) + b'{"w":{"dtype":"F32"}}')
    with pytest.raises(FileError, match="is damaged"):
        read_weights(tmp_path / "w.safetensors")


def test_weights_that_promise_more_than_there_is_are_refused(tmp_path):
    header = b'{"w":{"dtype":"F32","shape":[1000000000,1000],"data_offsets":[0,4000000000000]}}'
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    limits = Limits()
    with limits.one(), pytest.raises(FileError, match="is damaged"):
        read_weights(tmp_path / "w.safetensors")
    assert limits.growth() < 50


@pytest.mark.parametrize(("name", "value"), [
    ("seeds", "012"), ("seeds", []), ("seeds", [-1]), ("threads", 0), ("threads", 2**63), ("threads", True),
    ("offline", 1), ("save_seconds", float("nan")), ("precision", "float46"), ("compile", "of"), ("config", None),
    ("data_root", 3), ("device", None),
])  # fmt: skip
def test_settings_of_another_kind_are_refused_by_name(name, value, known):
    settings = {**json.loads(known["configs"].samples[0]), name: value}
    with pytest.raises(FileError, match=rf"config\.json is damaged: .*{name}"):
        checked_settings(settings)


@pytest.mark.parametrize(("name", "value"), [("epochs", "three"), ("epochs", 2.5), ("arms", ["x"]), ("degrees", None)])
def test_a_configuration_of_another_kind_is_refused_by_name(name, value, known):
    settings = json.loads(known["configs"].samples[0])
    configured(load_experiment("lenet"), settings)
    settings["config"][name] = value
    with pytest.raises(FileError, match=f"its '{name}' is"):
        configured(load_experiment("lenet"), settings)
