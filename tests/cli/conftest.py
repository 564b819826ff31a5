"""The command line as a user meets it: a process of its own in an empty folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """No network, no dataset but the embedded one, one thread."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GRADLAB_DATA", "PYTHONPATH")}
    return {**kept, "OMP_NUM_THREADS": "1", "GRADLAB_OFFLINE": "1", "GRADLAB_DATA": "nowhere"}


@pytest.fixture
def gradlab(tmp_path: Path, environment: dict[str, str]) -> Command:
    def run(*words: str, **more) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gradlab", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=250,
            **more,
        )

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A finished quick run of logistic regression with two seeds."""
    folder = tmp_path_factory.mktemp("finished")
    subprocess.run(
        [sys.executable, "-m", "gradlab", "run", "logistic_regression", "--quick", "--epochs", "3", "--seeds", "0", "4",
         "--out", "run"],
        cwd=folder, env=environment, check=True, capture_output=True, timeout=250,
    )  # fmt: skip
    return folder / "run"
