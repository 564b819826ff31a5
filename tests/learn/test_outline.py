import ast
import subprocess
import sys

import pytest

from gradlab.errors import UsageError
from gradlab.learn.course import CHAPTERS
from gradlab.learn.outline import FOLDER, find_exercise, outline, outlines


def test_every_file_is_in_the_course_once():
    names = [told.name for told in outlines()]
    assert sorted(names) == sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    assert len(names) >= 40


def test_an_outline_needs_no_torch():
    program = (
        "import sys\nfrom gradlab.learn.outline import outlines\n"
        "assert len(outlines()) >= 40\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_exercises_are_found_by_name_and_by_what_they_ask_for():
    assert find_exercise("sgd_momentum").name == find_exercise("SGDMomentum").name == "sgd_momentum"
    assert find_exercise("lstm_step").name == "rnn_step"
    with pytest.raises(UsageError, match="did you mean 'softmax'"):
        find_exercise("sofmax")


def test_no_two_exercises_ask_for_the_same_name():
    asked = [name for told in outlines() for name in told.asks]
    assert len(asked) == len(set(asked))


def test_the_parts_of_an_outline():
    told = outline("softmax")
    assert told.title == "Softmax that does not overflow"
    assert told.statement.startswith("Turn logits")
    assert told.path.as_posix() == "classification/softmax.py"
    assert told.marked().count("SOLUTION") == 2
    assert "SOLUTION" not in told.solution()
    assert "NotImplementedError" in told.starter()


def test_a_notebook_s_cells_do_not_define_each_other_s_names():
    """The last definition of a name counts, so no cell may give a name that another one asks for or gives otherwise."""
    for chapter in CHAPTERS:
        seen: dict[str, tuple[str, str]] = {}
        for name in chapter.exercises:
            for node in ast.parse(outline(name).marked()).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    other, text = seen.setdefault(node.name, (name, ast.unparse(node)))
                    assert text == ast.unparse(node), f"{node.name} means two things: in {other} and in {name}"
