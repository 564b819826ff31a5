import ast
import json

import pytest

from gradlab.errors import FileError
from gradlab.learn.course import CHAPTERS
from gradlab.learn.extract import bound_names
from gradlab.learn.notebook import chapter_notebooks, source_from_cells, source_from_notebook
from gradlab.learn.outline import outline


def notebooks(*, solutions: bool) -> dict[str, dict]:
    return {path.stem: json.loads(text) for path, text in chapter_notebooks(solutions=solutions)}


def test_there_is_a_notebook_a_chapter_with_three_cells_an_exercise():
    found = notebooks(solutions=False)
    for chapter in CHAPTERS:
        document = found[chapter.folder]
        assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
        assert len(document["cells"]) == 1 + 3 * len(chapter.exercises)
        names = [cell["id"] for cell in document["cells"]]
        assert len(names) == len(set(names))
        assert all(1 <= len(name) <= 64 for name in names)


def test_cells_carry_nbgrader_s_markers():
    for document in notebooks(solutions=True).values():
        graded = [cell["metadata"]["nbgrader"] for cell in document["cells"] if cell["cell_type"] == "code"]
        assert {each["schema_version"] for each in graded} == {3}
        solution, check = graded[::2], graded[1::2]
        assert all(each["solution"] and not each["grade"] and not each["locked"] for each in solution)
        assert all(each["grade"] and each["locked"] and not each["solution"] and each["points"] == 1 for each in check)
        assert [f"check-{each['grade_id']}" for each in solution] == [each["grade_id"] for each in check]


def test_students_get_no_solution_and_teachers_do():
    for folder, document in notebooks(solutions=False).items():
        text = json.dumps(document)
        assert "SOLUTION" not in text
        assert "raise NotImplementedError" in text
        assert "### BEGIN SOLUTION" in json.dumps(notebooks(solutions=True)[folder])


def test_every_code_cell_is_python():
    for document in notebooks(solutions=False).values():
        for cell in document["cells"]:
            if cell["cell_type"] == "code":
                ast.parse("".join(cell["source"]))


def definitions(text: str) -> dict[str, str]:
    body = [node for node in ast.parse(text).body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return {name: ast.dump(node) for node in body for name in bound_names(node)}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.folder)
def test_code_comes_out_of_a_notebook_as_it_went_in(chapter):
    document = json.dumps(notebooks(solutions=True)[chapter.folder])
    for told in map(outline, chapter.exercises):
        source = source_from_notebook(document, told.asks, where="x.ipynb")
        assert definitions(source) == definitions(told.marked()), told.name


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.folder)
def test_what_one_cell_gives_is_asked_for_in_no_other(chapter):
    asked = {name: told.name for told in map(outline, chapter.exercises) for name in told.asks}
    for told in map(outline, chapter.exercises):
        given = set(definitions(told.marked())) - set(told.asks)
        clashes = {name: asked[name] for name in given & set(asked)}
        assert not clashes, f"{told.name} gives away {clashes}"


CELLS = [
    "%matplotlib inline\nimport torch\n!pip install torch",
    "SCALE = 2",
    "def helper(x):\n    return SCALE * x",
    "def answer(x):\n    return x",
    "this is no python",
    "def answer(x):\n    return helper(torch.abs(x))",
    "answer(3)\nprint('shown')",
]


def test_only_what_the_answer_uses_is_taken_and_the_last_definition_counts():
    source = source_from_cells(CELLS, ("answer",))
    assert "helper(torch.abs(x))" in source
    assert "import torch" in source
    assert "SCALE = 2" in source
    for absent in ("matplotlib", "pip", "no python", "print", "return x\n"):
        assert absent not in source


def test_a_scratch_cell_does_not_make_a_right_answer_wrong():
    told = outline("softmax")
    right = told.solution().replace("logits", "x")
    source = source_from_cells([right, "x = torch.randn(2, 3)", "x = torch.softmax(x, 1)\nsoftmax(x)"], told.asks)
    assert definitions(source) == definitions(right)


def test_a_missing_definition_gives_nothing_and_a_broken_one_itself():
    assert source_from_cells(CELLS, ("other",)) == ""
    assert "def other(" in source_from_cells([*CELLS, "def other(x)\n    return x"], ("other",))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cells": 3}', '{"cells": [{}]}', "def answer(): pass"])
def test_what_is_no_notebook_is_refused(text):
    with pytest.raises(FileError, match=r"x\.ipynb is no notebook"):
        source_from_notebook(text, ("answer",), where="x.ipynb")
