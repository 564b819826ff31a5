import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradlab.errors import UsageError
from gradlab.learn.exercise import exercise
from gradlab.learn.grade import HEADER, as_csv, grade
from gradlab.learn.judge import judge_source
from gradlab.learn.notebook import chapter_notebooks
from gradlab.learn.outline import outline
from gradlab.learn.sandbox import Workshop

WRONG = "import torch\n\n\ndef softmax(x):\n    e = (x - x.max()).exp()\n    return e / e.sum()\n"
TOLD = [outline("softmax"), outline("one_hot")]


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as made:
        yield made


def put(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def verdicts(folder: Path, workshop: Workshop) -> dict[tuple[str, str], str]:
    found = grade(folder, TOLD, workshop)
    return {(each.learner, each.told.name): each.row()[4] + ": " + each.row()[5] for each in found}


def test_learners_are_graded_wherever_their_code_lies(tmp_path, workshop):
    put(tmp_path / "ada" / "classification" / "softmax.py", outline("softmax").solution())
    put(tmp_path / "ada" / "old" / "softmax.py", WRONG)
    put(tmp_path / "bob" / "work" / "softmax.py", WRONG)
    put(tmp_path / "cleo" / "classification" / "softmax.py", outline("softmax").starter())
    notebook = dict(chapter_notebooks(solutions=True))[Path("notebooks/classification.ipynb")]
    put(tmp_path / "cleo" / "notebooks" / "classification.ipynb", notebook)
    put(tmp_path / "dan.ipynb", notebook)
    put(tmp_path / "eve.py", WRONG)
    put(tmp_path / "fay" / "classification" / "softmax.py", b"\xff\x00")
    put(tmp_path / "gil" / "classification" / "softmax.py", "import os\nos.fork()")
    put(tmp_path / ".hidden" / "softmax.py", WRONG)
    put(tmp_path / "notes.txt", "hello")
    found = verdicts(tmp_path, workshop)
    assert found == {
        ("ada", "softmax"): "passed: ",
        ("ada", "one_hot"): "not handed in: ",
        ("bob", "softmax"): "wrong: the sum runs over the whole batch",
        ("bob", "one_hot"): "not handed in: ",
        ("cleo", "softmax"): "passed: ",
        ("cleo", "one_hot"): "passed: ",
        ("dan", "softmax"): "passed: ",
        ("dan", "one_hot"): "passed: ",
        ("eve", "softmax"): "wrong: the sum runs over the whole batch",
        ("eve", "one_hot"): "not handed in: ",
        ("fay", "softmax"): "wrong: the file cannot be read",
        ("fay", "one_hot"): "not handed in: ",
        ("gil", "softmax"): "stopped: your code starts another process",
        ("gil", "one_hot"): "not handed in: ",
    }


def test_file_notebook_and_grade_give_the_same_verdict(tmp_path, workshop):
    put(tmp_path / "ada.ipynb", as_notebook(WRONG))
    put(tmp_path / "bob.py", WRONG)
    direct = judge_source(exercise("softmax"), WRONG, workshop)
    for each in grade(tmp_path, TOLD[:1], workshop):
        assert each.verdict is not None
        assert (each.verdict.fault, each.verdict.got, each.verdict.inputs) == (direct.fault, direct.got, direct.inputs)


def as_notebook(*cells: str) -> str:
    held = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    return json.dumps({"cells": held, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_one_bad_submission_leaves_the_others_their_grades(tmp_path, workshop):
    right = outline("softmax").solution()
    put(tmp_path / "a.py", "def softmax(x):\n    raise ValueError('\\ud800')\n")
    put(tmp_path / "b.ipynb", as_notebook("-" * 90_000 + "1", right))
    put(tmp_path / "c.ipynb", "[" * 200_000)
    put(tmp_path / "d.ipynb", as_notebook(right, "'" + "x" * 2_000_000 + "'"))
    put(tmp_path / "e.ipynb", as_notebook("def softmax(x):\n    return " + "-" * 90_000 + "x"))
    put(tmp_path / "f\udce9.py", right)
    put(tmp_path / "z.py", right)
    grades = list(grade(tmp_path, TOLD[:1], workshop))
    assert {each.learner: each.row()[4] + ": " + each.row()[5] for each in grades} == {
        "a": "wrong: ValueError is raised",
        "b": "passed: ",
        "c": "wrong: the file cannot be read",
        "d": "passed: ",
        "e": "wrong: this is not Python",
        "f\udce9": "passed: ",
        "z": "passed: ",
    }
    assert as_csv(grades).encode().count(b"\n") == 1 + len(grades)


def test_what_breaks_the_check_is_a_verdict_of_its_own(tmp_path, workshop, monkeypatch):
    def judge(told, source, *_arguments, **_more):
        if "boom" in source:
            raise OSError("no space")
        return judge_source(told, source, workshop)

    monkeypatch.setattr("gradlab.learn.grade.judge_source", judge)
    put(tmp_path / "a.py", "# boom\n" + WRONG)
    put(tmp_path / "b.py", outline("softmax").solution())
    first, second = grade(tmp_path, TOLD[:1], workshop)
    assert first.row()[3:7] == ("0", "stopped", "this could not be graded: look at it yourself", "OSError: no space")
    assert second.verdict


def test_links_are_not_followed(tmp_path, workshop):
    put(tmp_path / "outside.txt", WRONG)
    put(tmp_path / "all" / "ada" / "readme.md", "hello")
    (tmp_path / "all" / "ada" / "softmax.py").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "all" / "bob").symlink_to(tmp_path)
    assert verdicts(tmp_path / "all", workshop) == {
        ("ada", "softmax"): "not handed in: ",
        ("ada", "one_hot"): "not handed in: ",
    }


def test_the_csv_is_one_row_each_and_no_formula(tmp_path, workshop):
    put(tmp_path / "=cmd()" / "softmax.py", WRONG)
    grades = list(grade(tmp_path, TOLD, workshop))
    rows = list(csv.reader(io.StringIO(as_csv(grades))))
    assert tuple(rows[0]) == HEADER
    assert rows[1][:6] == ["'=cmd()", "classification", "softmax", "0", "wrong", "the sum runs over the whole batch"]
    assert len(rows) == 3


def test_an_empty_or_missing_folder_is_refused(tmp_path, workshop):
    with pytest.raises(UsageError, match="holds no submissions"):
        list(grade(tmp_path, TOLD, workshop))
    with pytest.raises(UsageError, match="is no folder"):
        list(grade(tmp_path / "no", TOLD, workshop))
