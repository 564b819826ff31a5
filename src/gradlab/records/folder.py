"""A run's folder: the one place that knows its layout."""

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from gradlab.errors import FileError, UsageError
from gradlab.records.files import PARTS, make_folder, write_atomically
from gradlab.records.journal import Row, read_rows
from gradlab.records.seal import BEGUN, FINISHED, check_seal, write_seal

LOCK_SECONDS = 2.0
"""How long a new process waits for the children of a killed one to notice that they are alone."""

MOST_ARRAY_BYTES = 1 << 28
"""Far above what experiments keep for their pages: a small archive must not fill the memory."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that a run fills: config, environment, source, rows, results, weights, arrays, state, report."""

    path: Path

    @property
    def rows_path(self) -> Path:
        """`rows.jsonl`, one measurement a line."""
        return self.path / "rows.jsonl"

    @property
    def state(self) -> Path:
        """The folder of what a resumed run continues from."""
        return self.path / "state"

    @property
    def remembered(self) -> Path:
        """The sealed file of what is measured once and read back by a resumed run."""
        return self.path / "remembered.sealed"

    @property
    def board(self) -> Path:
        """The folder that TensorBoard is pointed at."""
        return self.path / "tensorboard"

    @property
    def states_of_group(self) -> tuple[Path, ...] | None:
        """The folders of what the other runs of a group continue from; None where the run is in no group."""
        if not (self.path.parent / "group.json").is_file():
            return None
        runs = sorted(path for path in self.path.parent.iterdir() if path.is_dir())
        return tuple(RunFolder(run).state for run in runs if run.name != self.path.name)

    def weights(self, arm: str, seed: int) -> Path:
        """The safetensors file of one arm's weights for one seed."""
        return self.path / "weights" / f"{slug(arm)}-{seed}.safetensors"

    def rows(self) -> list[Row]:
        """All rows written so far.

        Raises:
            FileError: they are not those that the finished run left.
        """
        check_seal(self.path, self.rows_path)
        return read_rows(self.rows_path)

    def document(self, name: str) -> dict[str, Any]:
        """The JSON document `<name>.json`, such as "config" or "results".

        Raises:
            FileError: the file is missing, has changed since it was sealed, or is not a JSON object.
        """
        path = self.path / f"{name}.json"
        check_seal(self.path, path)
        try:
            document = json.loads(path.read_bytes())
        except OSError as error:
            raise FileError(self._why_missing(path, error)) from error
        except (ValueError, RecursionError) as error:
            raise FileError(f"{path} is damaged: {error}") from error
        if not isinstance(document, dict):
            raise FileError(f"{path} is damaged: expected a JSON object")
        return document

    def _why_missing(self, path: Path, error: OSError) -> str:
        """What a document that cannot be read says about the folder, and what to do."""
        if self.has("config") and path.stem != "config":
            return f"{self.path} is not finished: `gradlab resume {self.path}` goes on with it"
        if self.has("group"):
            again = f"`gradlab report {self.path}` makes anew"
            return f"{self.path} holds several runs and a report of all, which {again}: name one of the folders in it"
        if inside := sorted(config.parent for config in self.path.glob("*/config.json")):
            return f"{self.path} is no run but holds some, such as {inside[0]}: name one of them"
        return f"cannot read {path}: {error.strerror}; is {self.path} a gradlab run?"

    def has(self, name: str) -> bool:
        """Whether `<name>.json` is there."""
        return (self.path / f"{name}.json").is_file()

    @property
    def is_complete(self) -> bool:
        """Whether a run went to its end, which is its report's."""
        return self.has("results") and all((self.path / f"report.{kind}").is_file() for kind in ("html", "pdf"))

    def write_arrays(self, name: str, **arrays: np.ndarray) -> None:
        """Writes named arrays to `arrays/<name>.npz`.

        Raises:
            FileError: the file cannot be written.
        """
        import io

        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        path = self.path / "arrays" / f"{slug(name)}.npz"
        make_folder(path.parent)
        write_atomically(path, buffer.getvalue())

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of `arrays/<name>.npz`; empty where the file is missing.

        Raises:
            FileError: the file is damaged.
        """
        path = self.path / "arrays" / f"{slug(name)}.npz"
        check_seal(self.path, path)
        if not path.is_file():
            return {}
        try:
            # Opened here, since numpy leaves the file open where the archive is damaged.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                if sum(member.file_size for member in archive.zip.infolist()) > MOST_ARRAY_BYTES:
                    raise ValueError(f"it unpacks to more than {MOST_ARRAY_BYTES:,} bytes")
                arrays = {key: archive[key] for key in archive.files}
                if not all(isinstance(array, np.ndarray) for array in arrays.values()):
                    raise ValueError("it holds something else than arrays")
                return arrays
        except Exception as error:  # zipfile, zlib and numpy each raise their own kinds
            raise FileError(f"{path} is damaged: {error}") from error

    def seal(self, *, finished: bool) -> None:
        """Records what the files are that later commands read: the settings, and in the end all that was measured.

        Raises:
            FileError: the seal cannot be written.
        """
        write_seal(self.path, FINISHED if finished else BEGUN)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for one writer, and clears away what a killed one had half written.

        Raises:
            FileError: another process holds it, or it cannot be written.
        """
        holder = self.path / ".holder"
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            pid = holder.read_text().strip() if holder.is_file() else "unknown"
            raise FileError(f"{self.path} is in use by process {pid}; wait for it or choose another --out") from error
        except OSError as error:
            raise FileError(f"cannot lock {self.path}: {error.strerror or error}") from error
        try:
            for left in self.path.rglob(PARTS):
                _remove(left)
            write_atomically(holder, str(os.getpid()).encode())
            yield
        finally:
            _remove(holder)
            lock.release()


def new_run_folder(out: Path | None, experiment: str) -> RunFolder:
    """Makes a run's folder: `out` itself (new or empty), or `runs/<experiment>/<started>/`.

    Raises:
        UsageError: `out` is not empty.
        FileError: the folder cannot be made or written.
    """
    try:
        path = out if out is not None else _fresh(Path("runs") / experiment)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            remedy = "name a new one"
            if (path / "config.json").exists():
                remedy += f", or go on with the run that is there: gradlab resume {path}"
            raise UsageError(f"--out {path} is not a new or empty folder: {remedy}")
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".write-probe"
        try:
            probe.write_bytes(b"gradlab")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        where = out if out is not None else Path("runs") / experiment
        raise FileError(f"cannot write to {where}: {error.strerror or error}; choose another --out") from error
    return RunFolder(path)


def slug(name: str) -> str:
    """A name as a safe file name: letters, digits, dots, dashes and underscores; never empty."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "unnamed"


def _remove(path: Path) -> None:
    """Removes a file that nobody reads; a disk that refuses is no reason to stop."""
    with contextlib.suppress(OSError):
        path.unlink()


def _fresh(parent: Path) -> Path:
    started = time.strftime("%Y-%m-%d_%H-%M-%S")
    parent.mkdir(parents=True, exist_ok=True)
    count = 1
    while True:
        path = parent / (started if count == 1 else f"{started}_{count}")
        # Making it claims it: two runs that start in the same second must not both find the name free.
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path
        count += 1
