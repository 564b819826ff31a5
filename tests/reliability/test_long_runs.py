import tempfile
from pathlib import Path

from tests.reliability import long_runs
from tests.reliability.families import FAMILIES
from tests.reliability.long_runs import many

FEW = ("logistic regression", "stacked seeds", "processes")


def test_runs_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(long_runs, "FAMILIES", {name: FAMILIES[name] for name in FEW})
    found = many(2 * len(FEW), tmp_path)
    assert found["left_behind"] == {"open_files": 0, "children": 0, "temporary_files": 0}
    assert found["memory_growth"] is not None


def test_a_run_that_leaves_something_behind_is_told_apart(tmp_path, monkeypatch):
    kept = []

    def untidy(_family, folder: Path) -> None:
        folder.mkdir()
        kept.append(tempfile.NamedTemporaryFile(delete=False))  # noqa: SIM115 (that is what is wrong with it)

    monkeypatch.setattr(long_runs, "train", untidy)
    monkeypatch.setattr(long_runs, "FAMILIES", {"untidy": None})
    found = many(3, tmp_path)["left_behind"]
    for file in kept:
        file.close()
    assert found == {"open_files": 2, "children": 0, "temporary_files": 2}
