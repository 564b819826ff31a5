"""Every kind of training that there is, made small: the experiments themselves, over a few images."""

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from gradlab.data import Images, Splits
from gradlab.records import RowJournal, RunFolder
from gradlab.records.files import make_folder
from gradlab.training import Place, Run, Stop
from gradlab.training.state import newest_state

SMALL = {"data": "digits", "epochs": 2, "batch_size": 16}
TRAIN, HELD_OUT = 70, 20


@dataclass(frozen=True)
class Family:
    """An experiment with the settings that make it small, and the way in which it is trained."""

    experiment: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    together: str = "in a row"
    precision: str = "float32"
    seeds: int = 1


GROUPS = {"arms": ("C4",), "rotated_images": 20}
RESNET = {"recipes": ("handbook",)}
FAMILIES: dict[str, Family] = {
    "LeNet, augmented": Family("lenet", {"arms": ("recommended",), "recommended_batch_size": 16, "image_size": 16}),
    "MLP, dropout and augmentation": Family("mlp_improvements", {"ideas": ("best",), "best_dropout": 0.3}),
    "MLP, L1 and batch norm": Family("regularization", {"arms": ("L1", "BatchNorm"), "train_images": 64}),
    "ResNet": Family("resnet", RESNET),
    "group CNN": Family("group_equivariance", GROUPS),
    "vision transformer": Family("vit", {"arms": ("recommended",), "equal_time": False}),
    "VAE": Family("vae", {"dimensions": (3,), "importance_samples": 2}),
    "LSTM": Family("rnn_rows", {"arms": ("LSTM",), "hidden": 8}),
    "LSTM, next symbol": Family("lstm_next_symbol", {"largest": 6, "reach": 8, "copies": 8, "hidden": 8}),
    "transformer": Family(
        "transformer_reverse",
        {"arms": ("two layers",), "train_sequences": 70, "validation_sequences": 20, "test_sequences": 20},
    ),
    "SimCLR": Family("simclr", {"pairs": 8, "labels": (2,), "neighbours": 3, "feature_dim": 8, "hidden_dim": 8}),
    "logistic regression": Family("logistic_regression"),
    "stacked seeds": Family("lenet", {"arms": ("slides",), "image_size": 16}, together="stacked", seeds=3),
    "processes": Family("mlp_improvements", {"ideas": ("best",)}, together="processes", seeds=2),
    "bfloat16": Family("resnet", RESNET, precision="bfloat16"),
    "bfloat16, stacked": Family("lenet", {"arms": ("slides",), "image_size": 16}, "stacked", "bfloat16", 2),
    "float64": Family("group_equivariance", GROUPS, precision="float64"),
}
"""One line a family: a new kind of training is added here, and every suite takes it up."""


class FewImages(Run):
    """A run that reads a few images of each split."""

    def load(self, name: str, **options: Any) -> Splits:
        splits = super().load(name, **options)
        parts = {"train": TRAIN, "validation": HELD_OUT, "test": HELD_OUT}
        return replace(splits, **{part: _few(getattr(splits, part), count) for part, count in parts.items()})


def train(family: Family, folder: Path, *, first_seed: int = 0, **place: Any) -> dict[str, Any]:
    """Trains a family in a folder, or goes on with it, as the command line does but for the report; returns its facts.

    The rows that an earlier session wrote and this one did not are counted under "unreproduced".
    """
    torch.set_num_threads(1)
    make_folder(folder)
    module = importlib.import_module(f"gradlab.experiments.{family.experiment}")
    known = {name for name in SMALL if hasattr(module.QUICK, name)}
    config = replace(module.QUICK, **{name: SMALL[name] for name in known} | dict(family.changes))
    run = FewImages(
        seeds=tuple(range(first_seed, first_seed + family.seeds)),
        together=family.together,
        place=Place(precision=family.precision, state=folder / "state", **{"save_seconds": 1e9, **place}),
        folder=RunFolder(folder),
    )
    with run.folder.locked():
        journal = RowJournal(run.folder.rows_path)
        for row in module.run(config, run):
            journal.add(row)
        unreproduced = journal.finish()
    return {**run.facts, "unreproduced": unreproduced}


def bits(folder: Path) -> dict[str, str]:
    """The SHA-256 of everything that a run must reproduce: rows, weights, arrays, and the whole final states."""
    names = ["rows.jsonl", *(str(path.relative_to(folder)) for kind in ("weights", "arrays")
                             for path in sorted((folder / kind).glob("*")))]  # fmt: skip
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    for states in sorted(folder.glob("state/*/*")):
        tensors, meta = newest_state(states)
        told = {name: value for name, value in meta.items() if name not in ("seconds", "fingerprint")}
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for name in sorted(tensors):
            digest.update(name.encode() + tensors[name].contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        found[str(states.relative_to(folder))] = digest.hexdigest()
    return found


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """The names under which two runs left different bits."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


class Counting(Stop):
    """Counts how often a training looked whether it should stop, in this process and those that it forks."""

    def __init__(self) -> None:
        import mmap

        super().__init__()
        self._looks = mmap.mmap(-1, 8)

    @property
    def looks(self) -> int:
        return int.from_bytes(self._looks[:8], "little")

    @property
    def signal_number(self) -> int:
        self._looks[:8] = (self.looks + 1).to_bytes(8, "little")
        return super().signal_number


def _few(images: Images, count: int) -> Images:
    return images.take(torch.arange(min(count, len(images))))
