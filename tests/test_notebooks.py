"""The notebooks' sources: what they ask, what students get, and what checks see; `make notebooks` runs them."""

import ast
import re

import pytest

from gradlab.answers import PRACTICALS
from gradlab.experiments import GROUPS
from gradlab.learn.extract import BEGIN, END, closure, without_markers
from gradlab.learn.notebook import source_from_cells
from gradlab.learn.outline import outline, outlines
from tools.notebooks import execute, problems, read, refreshed, sources, version

NAMES = [path.stem for path in sources()]


@pytest.fixture(scope="module")
def notebooks():
    return {path.stem: read(path) for path in sources()}


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def asked(notebook, key="exercise"):
    return [cell.metadata[key] for cell in notebook.cells if cell.cell_type == "code" and key in cell.metadata]


def test_every_exercise_of_the_course_is_in_one_notebook(notebooks):
    found = [name for notebook in notebooks.values() for name in asked(notebook)]
    assert sorted(found) == sorted(told.name for told in outlines())


def test_every_question_of_the_handbook_has_its_experiment_in_a_notebook():
    texts = {path.stem: path.read_text() for path in sources()}
    wanted = {(f"practical{number}", asked.experiment_name)
              for number, practical in enumerate(PRACTICALS, 1) for asked in practical.questions}  # fmt: skip
    wanted |= {(group, name) for group in ("slides", "cheatsheet") for name in GROUPS[group]}
    for notebook, name in wanted:
        place = "introduction" if name == "xor" else notebook
        assert re.search(rf"try_out\(\s*{name}\b", texts[place]), f"{place} does not run {name}"


@pytest.mark.parametrize("name", NAMES)
def test_exercises_are_those_of_the_command_line(name):
    text = next(path for path in sources() if path.stem == name).read_text()
    lines, expected = ([line for line in each.splitlines() if line] for each in (text, refreshed(text)))
    assert lines == expected, f"python -m tools.notebooks --refresh {name}"


def test_an_exercise_that_was_changed_is_noticed():
    text = next(path for path in sources() if path.stem == "practical1").read_text()
    spoiled = text.replace("average = (1 - self.momentum)", "average = (2 - self.momentum)")
    assert spoiled != text
    assert refreshed(spoiled).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize("name", NAMES)
def test_each_exercise_is_followed_by_its_check(name, notebooks):
    notebook = notebooks[name]
    assert asked(notebook) == asked(notebook, "check")
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and "exercise" in cell.metadata:
            assert notebook.cells[place + 1].metadata.get("check") == cell.metadata["exercise"]
            assert f'hint("{cell.metadata["exercise"]}")' in notebook.cells[place - 1].source


@pytest.mark.parametrize("name", NAMES)
def test_students_get_a_todo_and_no_line_of_a_solution(name, notebooks):
    made = version(notebooks[name], "student")
    for cell, source in zip(made.cells, notebooks[name].cells, strict=True):
        if cell.cell_type != "code" or BEGIN not in source.source:
            continue
        solutions = re.findall(rf"{BEGIN}\n(.*?){END}", source.source, re.DOTALL)
        assert cell.source.count("# TODO: write this piece") == len(solutions)
        assert "SOLUTION" not in cell.source
        for solution in solutions:
            assert solution.strip() not in cell.source
            assert all(line.strip() not in cell.source for line in solution.splitlines() if len(line.strip()) > 25)
        ast.parse(cell.source)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["student", "solution"])
def test_a_check_sees_the_exercise_alone_whatever_else_the_notebook_defines(name, kind, notebooks):
    cells = code(version(notebooks[name], kind))
    for each in asked(notebooks[name]):
        told = outline(each)
        text = without_markers(told.marked()) if kind == "solution" else told.starter()
        assert tree(source_from_cells(cells, told.asks)) == tree(closure(text, told.asks)), each


def tree(text):
    """What a source does, apart from the order in which it imports."""
    body = ast.parse(text).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    bound = {(getattr(node, "module", None), alias.name, alias.asname) for node in imports for alias in node.names}
    return bound, [ast.dump(node) for node in body if node not in imports]


@pytest.mark.parametrize("name", NAMES)
def test_sources_are_scripts_without_magics_or_paths(name, notebooks):
    notebook = notebooks[name]
    for source in code(notebook):
        ast.parse(source)
        assert not re.search(r"^\s*[%!]", source, re.MULTILINE)
        assert "/home/" not in source
    assert "pip install" in notebook.cells[0].source
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_what_is_wrong_with_an_executed_notebook_is_told():
    def cell(text, *, name="stdout", **metadata):
        output = Namespace(output_type="stream", name=name, text=text)
        return Namespace(cell_type="code", metadata=metadata, outputs=[output], source="")

    cells = [
        cell("softmax: passed\n", check="softmax"),
        cell("softmax: wrong: the sign is flipped\n", check="softmax"),
        cell("deprecated", name="stderr"),
        cell("step\n" * 100),
    ]
    found = list(problems(Namespace(cells=cells), "solution"))
    assert [text.split()[1].rstrip(":") for text in found] == ["1", "2", "3"]
    assert "the sign is flipped" in found[0]


def test_a_student_s_notebook_says_of_each_piece_that_it_is_not_written():
    def told(said):
        output = Namespace(output_type="stream", name="stdout", text=said)
        cell = Namespace(cell_type="code", metadata={"check": "softmax"}, outputs=[output], source="")
        return list(problems(Namespace(cells=[cell]), "student"))

    assert told("softmax: not written: the TODO is still there\n  Replace it in `softmax`.\n") == []
    assert "must say 'not written'" in told("softmax: passed\n")[0]
    assert told("softmax: stopped: not written\n")
    assert told("")


def test_a_cell_that_fails_is_told():
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    import nbformat

    cells = [nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_code_cell("x / 0")]
    (told,) = execute(nbformat.v4.new_notebook(cells=cells))
    assert told.startswith("ZeroDivisionError: division by zero")
    assert told.endswith("    x / 0")


class Namespace(dict):
    """What nbformat gives: entries as attributes."""

    __getattr__ = dict.__getitem__
