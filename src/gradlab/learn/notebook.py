"""The course as notebooks, one a chapter, with the cell markers of nbgrader; and code out of notebooks again."""

import ast
import json
import symtable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradlab.errors import FileError
from gradlab.learn.course import CHAPTERS, Chapter
from gradlab.learn.extract import bound_names, closure, without_solution
from gradlab.learn.outline import Outline, outline

SCHEMA = 3
"""of nbgrader's cell metadata"""


def chapter_notebooks(*, solutions: bool) -> Iterator[tuple[Path, str]]:
    """The place and the text of each chapter's notebook.

    Args:
        solutions: keep the solutions between nbgrader's markers: the version that a teacher's `nbgrader
            generate_assignment` takes; else the students' version.
    """
    for chapter in CHAPTERS:
        document = {
            "cells": [cell for name in chapter.exercises for cell in _cells(outline(name), solutions)],
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        document["cells"].insert(0, _opening(chapter))
        yield Path("notebooks") / f"{chapter.folder}.ipynb", json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def source_from_notebook(text: str, asks: tuple[str, ...], *, where: str) -> str:
    """The code of the asked functions and classes with what they use, from all code cells; empty if one is missing.

    Lines that are no Python (`%magic`, `!command`) are left out, and so is a cell that cannot be read.

    Raises:
        FileError: the text is no notebook.
    """
    try:
        cells = json.loads(text)["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
        raise FileError(f"{where} is no notebook: {error}") from error
    return source_from_cells(sources, asks)


def source_from_cells(sources: list[str], asks: tuple[str, ...]) -> str:
    """The code of the asked definitions with what they use; empty if one is missing.

    A cell that defines an asked name but is no Python comes back as it is, so that the check can say so.
    """
    readable, broken = [], []
    for source in sources:
        text = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())
        try:
            symtable.symtable(text, "cell", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deeply
            broken.append(text)
        else:
            readable.append(text)
    whole = "\n".join(readable)
    bound = {name for node in ast.parse(whole).body for name in bound_names(node)}
    missing = [name for name in asks if name not in bound]
    if not missing:
        return closure(whole, asks)
    spoiled = [text for text in broken if any(f"def {name}" in text or f"class {name}" in text for name in missing)]
    return spoiled[-1] if spoiled else ""


def _opening(chapter: Chapter) -> dict[str, Any]:
    text = (
        f"# {chapter.title}\n\nWrite each piece where it says TODO, then run the cell below it. "
        "The same checks run with `gradlab learn check` and `gradlab learn grade`."
    )
    return _cell("markdown", f"{chapter.folder}-opening", text)


def _cells(told: Outline, solutions: bool) -> list[dict[str, Any]]:
    statement = f"## {told.title}\n\n{told.statement}"
    code = told.marked() if solutions else without_solution(told.marked())
    tests = "\n".join([
        "from gradlab.learn import check",
        "",
        f"verdict = check({told.asks[0]})",
        "print(verdict)",
        "assert verdict, verdict.fault",
    ])  # fmt: skip
    hints = f"\n\nA hint: `gradlab learn hint {told.name}`."
    return [
        _cell("markdown", f"{told.name}-statement", statement + hints),
        _cell("code", told.name, code.rstrip(), {"grade": False, "solution": True, "locked": False, "task": False}),
        _cell("code", f"check-{told.name}", tests,
              {"grade": True, "solution": False, "locked": True, "task": False, "points": 1}),
    ]  # fmt: skip


def _cell(kind: str, name: str, text: str, grading: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = {} if grading is None else {"nbgrader": {**grading, "grade_id": name, "schema_version": SCHEMA}}
    cell: dict[str, Any] = {"cell_type": kind, "id": name.replace("_", "-"), "metadata": metadata}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return {**cell, "source": text.splitlines(keepends=True)}
