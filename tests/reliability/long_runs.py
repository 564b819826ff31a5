"""Suite 7: many runs in one process leave no memory, open file, child or temporary file behind."""

import gc
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

from tests.reliability.families import FAMILIES, train
from tests.reliability.guard import resident

RUNS = 500
GROWTH = 0.02


def left(temporary: Path) -> dict[str, int]:
    """What this process has open, and what lies in the folder for temporary files."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {
        "open_files": len(list(Path("/proc/self/fd").iterdir())),
        "children": len(children),
        "temporary_files": len(list(temporary.iterdir())),
    }


def many(runs: int, folder: Path) -> dict[str, Any]:
    """Trains the families in turn, so many runs in all; returns what was left, and the memory after a tenth and now."""
    temporary = folder / "temporary"
    temporary.mkdir()
    names, before, early = list(FAMILIES), left(temporary), 0
    for number in range(runs):
        if number == max(len(names), runs // 10):
            gc.collect()
            early, before = resident(), left(temporary)
        with warnings.catch_warnings(), mock.patch.object(tempfile, "tempdir", str(temporary)):
            warnings.simplefilter("error", ResourceWarning)
            train(FAMILIES[names[number % len(names)]], folder / "run")
        shutil.rmtree(folder / "run")
    gc.collect()
    memory, after = resident(), left(temporary)
    return {
        "left_behind": {name: after[name] - before[name] for name in after},
        "memory_growth": round(memory / early - 1, 4) if early else None,
    }


def full(share: float) -> dict[str, Any]:
    """The runs, in folders that nobody else uses."""
    runs = max(2 * len(FAMILIES), round(RUNS * share))
    with tempfile.TemporaryDirectory(prefix="long-") as place:
        found = many(runs, Path(place))
    wrong = [f"{count} {name} left behind" for name, count in found["left_behind"].items() if count]
    wrong += [f"memory grew by {found['memory_growth']:.1%}"] if found["memory_growth"] > GROWTH else []
    return {"runs": runs, **found, "failures": wrong}
