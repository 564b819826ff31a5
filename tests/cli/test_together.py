"""Two processes as torchrun starts them: one folder, written by the first, which one process can go on with."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gradlab.cli import main
from gradlab.errors import UsageError

RUN = ("run", "xor", "--quick", "--seeds", "3")


def two(folder: Path, environment: dict[str, str], *words: str) -> list[tuple[int, str, str]]:
    """Exit code, output and messages of both processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    meeting = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "gradlab", *words],
            cwd=folder,
            env={**environment, **meeting, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [process.communicate(timeout=120) for process in started]
    return [(process.returncode, *texts) for process, texts in zip(started, told, strict=True)]


def rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def test_two_processes_make_one_run_that_one_can_resume(tmp_path, gradlab, environment):
    first, second = two(tmp_path, environment, *RUN, "--out", "both")
    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    assert "report:" in first[1]
    assert second[1:] == ("", ""), "the first process speaks for both"
    arms = json.loads((tmp_path / "both" / "environment.json").read_text())["arms"]
    assert {arm["why"] for arm in arms.values()} == {"2 processes train each seed together"}
    assert [path.name for path in tmp_path.iterdir()] == ["both"]
    found = rows(tmp_path / "both")
    (tmp_path / "both" / "results.json").unlink()  # as if the run had been stopped before its end
    resumed = gradlab("resume", "both")
    assert resumed.returncode == 0, resumed.stderr
    assert "not an exact resume" not in resumed.stderr
    assert rows(tmp_path / "both") == found


@pytest.mark.parametrize("words", [("run", "practical1"), ("run", "xor", "--dry-run")])
def test_what_needs_one_process_says_so(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(words) == UsageError.exit_code
    assert "needs one process, not the 2 of torchrun" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
