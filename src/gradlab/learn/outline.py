"""What an exercise's file says about itself, read from its text: no exercise is run, no torch imported."""

import ast
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.errors import unknown
from gradlab.learn.course import CHAPTERS, Chapter
from gradlab.learn.extract import asked_names, closure, without_markers, without_solution

FOLDER = Path(__file__).parent / "exercises"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An exercise without its check.

    Args:
        name: the name of its file.
        chapter: where in the course it belongs.
        title: the first line of its docstring.
        statement: the rest of it: what is asked, with shapes.
        source: where the handbook, the slides or the cheat-sheet leave this piece.
        hints: three, each telling more.
        without: names that the learner's code must not use, since they are the answer.
        asks: the functions and classes to write.
        text: the whole file.
    """

    name: str
    chapter: Chapter
    title: str
    statement: str
    source: str
    hints: tuple[str, ...]
    without: tuple[str, ...]
    asks: tuple[str, ...]
    text: str

    @property
    def path(self) -> Path:
        """Where the exercise lies in a learner's folder."""
        return Path(self.chapter.folder) / f"{self.name}.py"

    def starter(self) -> str:
        """The file a learner gets: statement, imports, signatures and a TODO for each piece; it stands alone."""
        body = without_solution(closure(self.text, self.asks))
        return f"{self._header()}\n{body}"

    def marked(self) -> str:
        """The code with its solution between nbgrader's markers, without the header."""
        return closure(self.text, self.asks)

    def solution(self) -> str:
        """The file with the pieces written; it stands alone."""
        return f"{self._header()}\n{without_markers(closure(self.text, self.asks))}"

    def _header(self) -> str:
        how = f"Check it:  gradlab learn check {self.name}\nA hint:    gradlab learn hint {self.name}"
        return f'"""{self.title}\n\n{self.statement}\n\n{how}\n"""\n'


@functools.cache
def outline(name: str) -> Outline:
    """Reads an exercise's file.

    Raises:
        UsageError: no exercise has this name.
    """
    chapters = {each: chapter for chapter in CHAPTERS for each in chapter.exercises}
    if name not in chapters:
        known = [*chapters, *(chapter.folder for chapter in CHAPTERS)]
        raise unknown("exercise", name, known, where="gradlab learn status")
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    said = ast.get_docstring(tree) or ""
    title, _, statement = said.partition("\n")
    literals = _literals(tree)
    return Outline(
        name=name,
        chapter=chapters[name],
        title=title.removesuffix("."),
        statement=statement.strip(),
        source=literals["SOURCE"],
        hints=literals["HINTS"],
        without=literals.get("WITHOUT", ()),
        asks=asked_names(text),
        text=text,
    )


def outlines() -> list[Outline]:
    """Every exercise in the order of the course."""
    return [outline(name) for chapter in CHAPTERS for name in chapter.exercises]


def chosen(words: Sequence[str]) -> list[Outline]:
    """The exercises that are meant: by name, by what they ask for, by file, or by chapter, such as "practical1".

    Raises:
        UsageError: there is no such exercise and no such chapter.
    """
    chapters = {chapter.folder: chapter.exercises for chapter in CHAPTERS}
    words = [Path(word).stem if word.endswith(".py") else word for word in words]
    names = [name for word in words for name in chapters.get(word, (word,))]
    return [find_exercise(name) for name in dict.fromkeys(names)]


def find_exercise(word: str) -> Outline:
    """The exercise with this name, or the one that asks for the function or class of this name.

    Raises:
        UsageError: there is none.
    """
    if any(word in chapter.exercises for chapter in CHAPTERS):
        return outline(word)
    asking = {asked: each.name for each in outlines() for asked in each.asks}
    return outline(asking.get(word, word))


def _literals(tree: ast.Module) -> dict[str, Any]:
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("SOURCE", "HINTS", "WITHOUT"):
                found[name] = ast.literal_eval(node.value)
    return found
