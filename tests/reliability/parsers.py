"""Everything in gradlab that reads what others wrote: how to feed it any bytes, and what a right answer looks like."""

import gzip
import importlib
import io
import json
import pkgutil
import random
import shutil
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch import nn

import gradlab
from gradlab.cli import main
from gradlab.data import cifar, load_folder, stl10
from gradlab.data.archive import unpack
from gradlab.data.decode import FRAMINGS, read_picture
from gradlab.data.idx import read_idx
from gradlab.data.published import Content
from gradlab.data.stream import open_content
from gradlab.errors import GradlabError, InterruptedRunError
from gradlab.objectives import classification
from gradlab.records import RunFolder, read_rows, read_weights, write_sealed, write_weights
from gradlab.training import Place, Recipe, Selection, collect, fit
from tests.data.builders import cifar_arrays, cifar_records, idx, sha256, tar_gz
from tests.reliability.exact_resume import StopAfter
from tests.reliability.mutations import mutated, other_json

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
WORDS = ("run", "resume", "report", "compare", "summary", "predict", "data", "doctor", "list", "lenet", "vit",
         "vae", "xor", "slides", "--quick", "--seeds", "0", "1", "--out", "x", "--epochs", "2", "--together",
         "stacked", "--precision", "bfloat16", "--threads", "--save-seconds", "--data", "digits", "--arms",
         "recommended", "--dry-run", "--json", "--device", "cpu", "--help", "--learning-rate", "0.1", "show",
         "fetch", "--debug", "--quiet")  # fmt: skip
STRANGE = ("", "-", "--", "=", "-1", "1e999", "nan", "9" * 5000, "../../..", "/dev/null", "é\u202e", "\udcff", "%s%n",
           "--seeds=0=1", "@x", "-" * 300, "x" * 5000, "\n", "a b", "0x10", "٣", "1_0", "None", "{}", "*")  # fmt: skip

Parse = Callable[[bytes], str | None]
"""bytes -> what is wrong with the answer, None if it is right; raises gradlab's error where it refuses."""


@dataclass(frozen=True)
class Parser:
    """A reader, valid inputs to start from, and how to make others of them."""

    name: str
    samples: tuple[bytes, ...]
    parse: Parse
    change: Callable[[bytes, random.Random], bytes] = mutated
    share: float = 1.0
    """of the inputs in the full part: below 1 where each costs a process"""


def parsers(place: Path) -> list[Parser]:
    """All but those of what learners hand in, at work in a folder of their own."""
    for module in pkgutil.walk_packages(gradlab.__path__, "gradlab."):
        if not module.name.endswith(("__main__", "build_digits", "lightning")):
            importlib.import_module(module.name)  # what is imported while a parser is watched would look like its doing
    return [*_images(place), *_datasets(place), *_states(place), *_records(place), *_settings(place)]


def _datasets(place: Path) -> list[Parser]:
    grey = idx(np.random.default_rng(0).integers(0, 256, (3, 5, 4)))
    colour = cifar_records(*cifar_arrays(0, 3))
    plane = np.random.default_rng(0).integers(0, 256, 3 * 96 * 96, dtype=np.uint8).tobytes()
    path = place / "data.bin"

    def read_grey(content: bytes) -> str | None:
        path.write_bytes(content)
        with open_content(path) as source:
            array = read_idx(source)
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        return None if plain[4 + 4 * array.ndim :] == array.tobytes() else "other pixels"

    def read_colour(content: bytes) -> str | None:
        path.write_bytes(content)
        pixels, labels = np.empty((3, 3, 32, 32), np.uint8), np.empty(3, np.int64)
        with open_content(path) as source:
            cifar.read_records(source, pixels, labels, label_bytes=1, classes=10)
        return None if cifar_records(labels, pixels) == content and labels.max() < 10 else "other images"

    def read_planes(content: bytes) -> str | None:
        path.write_bytes(content)
        pixels = np.empty((1, 3, 96, 96), np.uint8)
        with open_content(path) as source:
            stl10.read_pixels(source, pixels)
        return None if pixels.transpose(0, 1, 3, 2).tobytes() == content else "other images"

    def read_labels(content: bytes) -> str | None:
        path.write_bytes(content)
        with open_content(path) as source:
            labels = stl10.read_labels(source, 20, classes=10)
        return None if bytes((labels + 1).astype(np.uint8)) == content else "other labels"

    inside = place / "archives" / "batches"
    inside.mkdir(parents=True)
    members = {f"data_{index}.bin": bytes([index]) * 700 for index in range(3)}
    wanted = [Content(name, len(content), sha256(content)) for name, content in members.items()]
    packed = tar_gz([("../escaped", b"x"), ("/tmp/absolute", b"y"), *((f"batches/{n}", c) for n, c in members.items())])

    def read_archive(content: bytes) -> str | None:
        (place / "archive.tar.gz").write_bytes(content)
        unpack(place / "archive.tar.gz", inside, wanted, pinned=sha256(content), remedy="fetch it again")
        found = {file.name: file.read_bytes() for file in inside.iterdir()}
        return None if found == members else f"unpacked {sorted(found)}"

    def change_archive(content: bytes, chance: random.Random) -> bytes:
        if chance.random() < 0.5:
            return mutated(content, chance)
        return gzip.compress(mutated(gzip.decompress(content), chance), mtime=0)  # so that tar's own fields are reached

    return [
        Parser("IDX", (grey, gzip.compress(grey, mtime=0)), read_grey),
        Parser("CIFAR", (colour,), read_colour),
        Parser("STL-10 images", (plane,), read_planes),
        Parser("STL-10 labels", (bytes(range(1, 11)) * 2,), read_labels),
        Parser("archives", (packed,), read_archive, change_archive),
    ]


def _images(place: Path) -> list[Parser]:
    path, tree = place / "picture", place / "tree"
    pictures = tuple(_picture(name) for name in FORMATS)
    honest = bytes(byte for top in (0, 1) for name in (0, 1, 6, 8) for byte in (top, name, 0, name))

    def read(content: bytes) -> str | None:
        path.write_bytes(content)
        pixels = read_picture(path, 8, FRAMINGS[len(content) % len(FRAMINGS)])
        return None if pixels.shape == (8, 8, 3) and pixels.dtype == np.uint8 else f"{pixels.shape} {pixels.dtype}"

    def read_tree(content: bytes) -> str | None:
        shutil.rmtree(tree, ignore_errors=True)
        _plant(tree, content, pictures)
        splits = load_folder(tree, image_size=8)
        count = sum(len(part) for part in splits.parts().values())
        there = len([file for file in tree.rglob("*") if file.is_file()])
        return None if 0 < count <= there and len(splits.classes) >= 2 else f"{count} images of {there} files"

    def new_tree(content: bytes, chance: random.Random) -> bytes:
        return content * chance.randrange(2) + chance.randbytes(chance.choice((4, 40, 80)))

    return [Parser("images", pictures, read), Parser("folders", (honest,), read_tree, new_tree)]


def _states(place: Path) -> list[Parser]:
    chance = torch.Generator().manual_seed(0)
    examples = torch.rand(70, 6, generator=chance), torch.randint(0, 3, (70,), generator=chance)
    recipe = Recipe(epochs=2, batch_size=16, optimizer=torch.optim.AdamW, select=Selection(), patience=2, window=2)

    def train(looks: int) -> None:
        collect(fit(lambda: nn.Linear(6, 3), examples,
                    classification, recipe, seeds=(0,), measure={"validation": lambda _model: {"accuracy": 0.5}},
                    place=Place(state=place / "begun", save_seconds=1e9, stop=StopAfter(looks))))  # fmt: skip

    with suppress(InterruptedRunError):
        train(8)  # into the second epoch
    state = next((place / "begun").glob("*/*/*.state"))
    sealed = state.read_bytes()
    content = sealed.partition(b"\n")[2]

    def go_on(_content: bytes) -> str | None:
        with suppress(InterruptedRunError):
            train(1)  # restores the state, makes one step
        return None  # interrupted, or a state that says that it is finished

    def read_state(changed: bytes) -> str | None:
        for old in state.parent.iterdir():
            old.unlink()
        state.write_bytes(changed)
        return go_on(changed)

    def read_resealed(changed: bytes) -> str | None:
        for old in state.parent.iterdir():
            old.unlink()
        write_sealed(state, changed)
        return go_on(changed)

    def change_meta(packed: bytes, chance: random.Random) -> bytes:
        if chance.random() < 0.5:
            return mutated(packed, chance)
        from gradlab.training.state import pack, unpack

        tensors, meta = unpack(packed)
        if chance.random() < 0.2:
            name = chance.choice(list(tensors))
            tensors[name] = tensors[name].to(chance.choice((torch.float64, torch.bfloat16, torch.int8)))
        return pack(tensors, other_json(meta, chance))

    return [
        Parser("states", (sealed,), read_state),
        Parser("states, sealed anew", (content,), read_resealed, change_meta),
    ]


def _records(place: Path) -> list[Parser]:
    rows = b"".join(b'{"arm": "a", "seed": %d, "epoch": 1, "loss": 0.125}\n' % seed for seed in range(5))
    write_weights(place / "weights.safetensors", {"w": np.ones((3, 4), np.float32), "n": np.array(7)})
    run = RunFolder(place / "arrays-of-a-run")
    run.write_arrays("a", confusion=np.eye(3), names=np.array(["a", "b"]))
    arrays = run.path / "arrays" / "a.npz"

    def read_the_weights(changed: bytes) -> str | None:
        (place / "weights.safetensors").write_bytes(changed)
        found = read_weights(place / "weights.safetensors")
        size = sum(array.nbytes for array in found.values())
        return None if size <= len(changed) else f"{size} bytes out of {len(changed)}"

    def read_the_rows(changed: bytes) -> str | None:
        (place / "rows.jsonl").write_bytes(changed)
        found = read_rows(place / "rows.jsonl")
        return None if len(found) <= changed.count(b"\n") and all(isinstance(row, dict) for row in found) else "no rows"

    def read_arrays(changed: bytes) -> str | None:
        arrays.write_bytes(changed)
        found = run.arrays("a")
        return None if all(array.dtype != object for array in found.values()) else "objects"

    return [
        Parser("weights", ((place / "weights.safetensors").read_bytes(),), read_the_weights),
        Parser("rows", (rows,), read_the_rows),
        Parser("arrays", (arrays.read_bytes(),), read_arrays),
    ]


def _settings(place: Path) -> list[Parser]:
    from gradlab.cli.run import settings_of
    from gradlab.cli.settings import complete_settings

    options = {name: None for name in ("seeds", "quick", "data_root", "offline", "device")}
    options |= {"together": "auto", "precision": "float32", "compile": "auto", "threads": 1, "save_seconds": 10.0}
    samples = [complete_settings(settings_of(name, "Why?", options, {})) for name in ("lenet", "vit", "vae", "xor")]

    def resume(content: bytes) -> str | None:
        folder = place / "configured"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "config.json").write_bytes(content)
        return _command(["resume", str(folder)])

    def other_settings(content: bytes, chance: random.Random) -> bytes:
        if chance.random() < 0.2:
            return mutated(content, chance)
        document = json.loads(content)
        for _ in range(chance.choice((1, 1, 3))):
            document = other_json(document, chance)
        return json.dumps(document).encode()

    def command(content: bytes) -> str | None:
        return _command(json.loads(content))

    def other_words(_content: bytes, chance: random.Random) -> bytes:
        words = [chance.choice(WORDS if chance.random() < 0.8 else STRANGE) for _ in range(chance.randrange(9))]
        start = chance.choice(
            ([], [], ["run", "lenet"], ["run", "vit"], ["run", "slides"], ["summary"], ["data", "show"])
        )
        return json.dumps([*start, *words]).encode()

    return [
        Parser("configs", tuple(json.dumps(sample).encode() for sample in samples), resume, other_settings),
        Parser("command lines", (b'["list"]', b'["doctor"]', b'["data", "list"]'), command, other_words),
    ]


def _command(words: list[str]) -> str | None:
    """What is wrong with how a command line ended; nothing is trained, fetched or reported."""

    told = io.StringIO()
    with (
        mock.patch.dict("os.environ", GRADLAB_DATA="data-root", GRADLAB_OFFLINE="1"),
        mock.patch("sys.stderr", told),
        mock.patch("sys.stdout", io.StringIO()),
        mock.patch("gradlab.cli.execute._execute", _configured),
        mock.patch("gradlab.training.keep_freed_memory", _nothing),  # it would blur what is measured here
        mock.patch("gradlab.cli.group.continue_group", _nothing),
        mock.patch("gradlab.cli.dry_run.dry_run", _nothing),
    ):
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
    lines = told.getvalue().splitlines()
    if code not in (0, 1, 2, 69, 74):
        return f"{words} ended with {code}: {lines[-1:]}"
    if code in (2, 69, 74) and (len(lines) != 1 and "--debug" not in words):
        return f"{words} said {len(lines)} lines"
    if code in (2, 69, 74):
        raise Refused(lines[-1])
    return None


def _nothing(*_arguments: object, **_more: object) -> int:
    """In place of what takes long; a mock that counts its calls would be half of an input's time."""
    return 0


def _configured(folder: RunFolder, settings: dict[str, Any], *_rest: object, **_more: object) -> int:
    """In place of execution: what comes before the first step."""
    from gradlab.cli.settings import configured, load_experiment, make_run

    config = configured(load_experiment(settings["experiment"]), settings)
    make_run(folder, settings)
    return 0 if config is not None else 1


def _picture(name: str) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((12, 10), 60).convert("RGB").save(buffer, name)
    return buffer.getvalue()


def _plant(tree: Path, plan: bytes, pictures: tuple[bytes, ...]) -> None:
    """A folder of images after a plan: honest files and links, pipes, strange names, folders that look like files."""
    import os

    tree.mkdir()
    tops = (
        "cats",
        "dogs",
        "train",
        "val",
        "test",
        "train/cats",
        "train/dogs",
        "test/cats",
        ".hidden",
        "è\n",
        "cats/deep",
    )
    names = ("a.png", "b.JPG", "c.txt", ".d.png", "e.png.png", "f\udcff.png", "g.gif", "-h.png", "i.bmp")
    for top, name, kind, which in struct.iter_unpack("4B", plan[: len(plan) // 4 * 4]):
        folder = tree / tops[top % len(tops)]
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        path = folder / names[name % len(names)]
        if path.is_symlink() or path.exists():
            continue  # writing into a link or a pipe that is there already would leave the tree
        with suppress(OSError):
            if kind < 200:
                path.write_bytes(pictures[which % len(pictures)])
            elif kind < 215:
                path.symlink_to(("../../outside.png", "/dev/zero", "..", "a.png", "gone.png", str(tree))[which % 6])
            elif kind < 225:
                os.mkfifo(path)
            elif kind < 235:
                path.mkdir()
            else:
                path.write_bytes(plan)


Refused = GradlabError
"""What a parser may raise."""
