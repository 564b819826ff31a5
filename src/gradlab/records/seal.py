"""The seal of a run's folder: the SHA-256 of each file that later commands read, so that no damage passes for data."""

import json
from pathlib import Path

from gradlab.errors import FileError
from gradlab.records.files import sha256_of_file
from gradlab.records.sealed import read_sealed, write_sealed

SEAL = "digests.sealed"
BEGUN = ("config.json", "group.json")
FINISHED = (*BEGUN, "rows.jsonl", "environment.json", "results.json", "arrays/*.npz")
"""What is sealed as soon as it is written, and what once it does not change any more."""


def write_seal(folder: Path, patterns: tuple[str, ...]) -> None:
    """Records the SHA-256 of every file of a run that matches one of the patterns, in place of what was recorded.

    Weights are not among them: their digests are in `environment.json`.

    Raises:
        FileError: a file cannot be read, or the seal cannot be written.
    """
    paths = sorted(path for pattern in patterns for path in folder.glob(pattern))
    digests = {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in paths}
    write_sealed(folder / SEAL, json.dumps(digests).encode())


def check_seal(folder: Path, path: Path) -> None:
    """Checks that a file of a run is the one that was sealed; one that no seal names passes.

    Raises:
        FileError: it has changed or is gone, or the seal itself is damaged.
    """
    if not (folder / SEAL).exists():
        return
    sealed = json.loads(read_sealed(folder / SEAL)).get(path.relative_to(folder).as_posix())
    if sealed is not None and (found := sha256_of_file(path)) != sealed:
        raise FileError(
            f"{path} is damaged or was edited: its SHA-256 is {found[:12]}..., sealed was {sealed[:12]}...; "
            "put the old file back, or run again"
        )
