"""Suite 3: whatever a disk does to a file, nothing that was changed passes for what was written."""

import hashlib
import json
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from gradlab.data.loading import load_published
from gradlab.data.places import find
from gradlab.errors import DataUnavailableError, FileError, InterruptedRunError
from gradlab.records import RunFolder, read_weights, write_json
from gradlab.training import Place, Run, saver
from gradlab.training.state import newest_state, state_files
from tests.data.builders import put, tiny_cifar, tiny_mnist
from tests.reliability.exact_resume import StopAfter
from tests.reliability.families import FAMILIES, train
from tests.reliability.mutations import ROT

DAMAGES, GOOD_READS = 10_000, 10_000
"""In the full part."""


@dataclass(frozen=True)
class Target:
    """A file, and what reads it: `read` returns a digest of what it made of it, or raises gradlab's error."""

    name: str
    path: Path
    read: Callable[[], str]


def targets(place: Path) -> list[Target]:
    """One of each kind of file that gradlab writes or reads back, from real runs and tiny datasets."""
    run, stopped = RunFolder(place / "run"), place / "stopped"
    facts = train(FAMILIES["logistic regression"], run.path)
    for name in ("config", "environment", "results"):
        write_json(run.path / f"{name}.json", {"name": name, "seeds": [0, 1], "arms": facts["arms"]})
    run.seal(finished=True)
    with suppress(InterruptedRunError):
        train(FAMILIES["logistic regression"], stopped, save_steps=2, stop=StopAfter(6))
    (arm,) = facts["arms"]
    newest, _before = state_files(next(stopped.glob("state/*/*")))
    weights = run.weights(arm, 0)
    digest = facts["arms"][arm]["weights"][str(weights.relative_to(run.path))]
    return [
        Target("state", newest, lambda: _used(newest)),
        Target("weights", weights, lambda: _arrays(read_weights(weights, sha256=digest))),
        Target("rows", run.rows_path, lambda: _text(run.rows())),
        *(Target(name, run.path / f"{name}.json", lambda name=name: _text(run.document(name)))
          for name in ("config", "environment", "results")),
        Target("arrays", next((run.path / "arrays").iterdir()), lambda: _arrays(run.arrays(arm))),
        Target("seal", run.path / "digests.sealed", lambda: _text(run.rows())),
        Target("remembered", run.remembered, lambda: _remembered(run)),
        *_datasets(place),
    ]  # fmt: skip


def damage(target: Target, count: int, chance: random.Random) -> tuple[int, int, list[str]]:
    """Damages a file so many times; returns how often, how often without effect on the data, and what passed."""
    content, expected = target.path.read_bytes(), target.read()
    done, harmless, passed = 0, 0, []
    while done < count:
        kind = chance.choice(ROT)
        changed = kind(content, chance)
        if changed == content:
            continue
        done += 1
        target.path.write_bytes(changed)
        try:
            found = target.read()
        except (FileError, DataUnavailableError):
            continue
        if found == expected:
            harmless += 1  # such as the date in a gzip header: what was read is what was written
        else:
            passed.append(f"{target.name}: {kind.__name__} passed as {found[:60]}")
    target.path.write_bytes(content)
    return done, harmless, passed


def full(share: float) -> dict[str, Any]:
    """Every kind of file, damaged in every way; undamaged ones read as often; and what saving costs."""
    with tempfile.TemporaryDirectory(prefix="rot-") as place:
        there = targets(Path(place))
        each = max(20, round(DAMAGES * share / len(there)))
        found = {target.name: damage(target, each, random.Random(target.name)) for target in there}
        good = max(1, round(GOOD_READS * share / len(there)))
        alarms = [target.name for target in there for _ in range(good) if _false_alarm(target)]
        cost = save_share(Path(place))
    passed = [what for _, _, more in found.values() for what in more]
    return {
        "damaged": {name: done for name, (done, _, _) in found.items()},
        "damages": sum(done for done, _, _ in found.values()),
        "without_effect_on_the_data": {name: harmless for name, (_, harmless, _) in found.items() if harmless},
        "undetected": len(passed),
        "undamaged_reads": good * len(there),
        "false_alarms": len(alarms),
        "share_of_time_spent_saving": cost,
        "failures": passed + [f"false alarm: {name}" for name in alarms] + ([] if cost < 0.01 else ["saving is dear"]),
    }


def save_share(place: Path) -> float:
    """The share of a training's wall time that goes into saving, as often as by default."""
    spent = 0.0
    save = saver._save

    def timed(*arguments: Any) -> None:
        nonlocal spent
        begin = time.perf_counter()
        save(*arguments)
        spent += time.perf_counter() - begin

    begin = time.perf_counter()
    with mock.patch.object(saver, "_save", timed), mock.patch.dict("tests.reliability.families.SMALL", epochs=500):
        train(FAMILIES["LSTM"], place / "saving", save_seconds=Place().save_seconds)
    return round(spent / (time.perf_counter() - begin), 5)


def _false_alarm(target: Target) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target.read()
    except (FileError, DataUnavailableError, UserWarning):
        return True
    return False


def _used(newest: Path) -> str:
    """Which state is taken up; raises as the others do if the newest one is damaged, named and passed over."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = newest_state(newest.parent)
    assert found is not None
    tensors, meta = found
    if told:
        if newest.name not in str(told[0].message) or meta["step_in_epoch"] != 4:
            return f"not the state before the damaged one: {told[0].message}"
        raise FileError(str(told[0].message))
    return _arrays({name: tensor.numpy() for name, tensor in tensors.items()}) + _text(meta)


def _remembered(folder: RunFolder) -> str:
    """What a run remembers; damage is told, and the run's claim to be exact is gone."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run = Run(folder=folder)
        if run.remembers("not exact"):
            raise FileError(str(told[0].message))
    return _text({"known": run.remembers("data digits")})


def _datasets(place: Path) -> list[Target]:
    mnist, packed = tiny_mnist()
    cifar, files, archive = tiny_cifar()
    put(place / "gz" / "mnist", packed)
    put(place / "bin" / "cifar-10-batches-bin", files)
    put(place / "tar", {cifar.downloads[0].path: archive})
    found = []
    for name, published, root, path in (
        ("IDX, gzipped", mnist, place / "gz", f"mnist/{next(iter(packed))}"),
        ("CIFAR", cifar, place / "bin", "cifar-10-batches-bin/data_batch_1.bin"),
        ("archive", cifar, place / "tar", cifar.downloads[0].path),
    ):
        there = find(published, root)
        assert there is not None

        def read(published: Any = published, there: Any = there) -> str:
            return load_published(published, there, published.contents, split_seed=1).digest()

        found.append(Target(name, root / path, read))
    return found


def _arrays(arrays: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(b"".join(name.encode() + arrays[name].tobytes() for name in sorted(arrays))).hexdigest()


def _text(document: Any) -> str:
    return json.dumps(document, sort_keys=True)
