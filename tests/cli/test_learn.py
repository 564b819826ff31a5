"""The learner's commands, as a learner types them."""

import json
import subprocess
import sys
import time

import pytest

from gradlab.cli.learn import main
from gradlab.errors import FileError, UsageError
from gradlab.learn.outline import outline

GOOD = outline("softmax").solution()
BAD = "def softmax(x):\n    e = (x - x.max()).exp()\n    return e / e.sum()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    assert main(["start", str(tmp_path / "mine"), "--no-notebooks"]) == 0
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


def write(folder, text):
    (folder / outline("softmax").path).write_text(text)


def told(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_status_works_anywhere_and_without_torch(tmp_path, gradlab):
    document = json.loads(gradlab("learn", "status", "--json").stdout)
    assert document["folder"] is None
    assert len(document["exercises"]) >= 40
    assert {"name", "title", "chapter", "passed", "tries", "hints", "source"} <= set(document["exercises"][0])
    program = (
        "import sys\nfrom gradlab.cli import main\n"
        "assert main(['learn', 'status']) == 0\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, cwd=tmp_path)


def test_from_start_to_solution(folder, capsys):
    capsys.readouterr()
    with pytest.raises(UsageError, match="try softmax first"):
        main(["solution", "softmax"])
    assert main(["check", "softmax"]) == 1
    assert "not written" in capsys.readouterr().out
    with pytest.raises(UsageError, match="try softmax first"):
        main(["solution", "softmax"])  # an untouched starter is no try
    write(folder, BAD)
    assert main(["check", "softmax"]) == 1
    text = capsys.readouterr().out
    assert "softmax: wrong: the sum runs over the whole batch" in text
    assert "expected" in text
    assert main(["solution", "softmax"]) == 0
    assert "exponentials" in capsys.readouterr().out
    write(folder, GOOD)
    assert main(["check", "classification/softmax.py"]) == 0
    assert "next: " in capsys.readouterr().out
    assert main(["status", "--json"]) == 0
    entry = next(each for each in told(capsys)["exercises"] if each["name"] == "softmax")
    assert (entry["passed"], entry["tries"]) == (True, 2)


def test_hints_come_one_by_one_and_are_remembered(folder, capsys):
    capsys.readouterr()
    for count in (1, 2, 3, 3):
        assert main(["hint", "softmax", "--json"]) == 0
        assert len(told(capsys)["hints"]) == count
    assert main(["hint", "softmax"]) == 0
    assert "that was the last" in capsys.readouterr().out


def test_next_is_the_first_that_has_not_passed(folder, capsys):
    capsys.readouterr()
    assert main(["next", "--json"]) == 0
    assert told(capsys)["exercise"]["name"] == "select_parts"
    assert main(["next"]) == 0
    assert "gradlab learn check select_parts" in capsys.readouterr().out


def test_a_check_without_a_name_takes_what_was_begun(folder, capsys):
    with pytest.raises(UsageError, match="nothing to check yet"):
        main(["check"])
    write(folder, BAD)
    (folder / outline("one_hot").path).write_text(outline("one_hot").solution())
    capsys.readouterr()
    assert main(["check", "--json"]) == 1
    document = told(capsys)
    assert document["passed"] == 1
    assert [each["exercise"] for each in document["verdicts"]] == ["one_hot", "softmax"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek"], "did you mean 'check'"),
        (["check", "sofmax"], "did you mean 'softmax'"),
        (["check", "--wacth"], "did you mean '--watch'"),
        (["check", "--watch", "--json"], "leave --json away"),
        (["hint", "sofmax"], "did you mean 'softmax'"),
        (["start"], "the following arguments are required: FOLDER"),
        (["grade", "no/such/folder"], "is no folder"),
    ],
)
def test_wrong_words_are_one_clear_line(folder, words, message):
    with pytest.raises(UsageError, match=message):
        main(words)


def test_missing_files_are_told(folder):
    (folder / outline("softmax").path).unlink()
    with pytest.raises(FileError, match="learn start"):
        main(["check", "softmax"])
    with pytest.raises(UsageError, match="holds no exercises"):
        main(["status", "--folder", str(folder / "practical1")])


def test_grades_are_printed_and_written(tmp_path, capsys):
    (tmp_path / "all" / "ada").mkdir(parents=True)
    (tmp_path / "all" / "ada" / "softmax.py").write_text(GOOD)
    (tmp_path / "all" / "bob.py").write_text(BAD)
    words = ["grade", str(tmp_path / "all"), "--exercises", "softmax", "one_hot", "--csv", str(tmp_path / "g.csv")]
    assert main(words) == 0
    assert "ada    1 of 2 passed, 1 handed in" in capsys.readouterr().out
    assert (tmp_path / "g.csv").read_text().count("\n") == 5
    assert main([*words, "--json"]) == 0
    assert [each["passed"] for each in told(capsys)["learners"]] == [1, 0]


def test_watching_checks_what_is_saved(folder):
    watching = subprocess.Popen(
        [sys.executable, "-m", "gradlab", "learn", "check", "--watch", "softmax"],
        cwd=folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stdout is not None
    assert "watching" in watching.stdout.readline()
    time.sleep(0.5)
    write(folder, BAD)
    lines = [watching.stdout.readline() for _ in range(2)]
    watching.terminate()
    watching.stdout.close()
    watching.wait(timeout=30)
    assert lines[1] == "softmax: wrong: the sum runs over the whole batch\n"
