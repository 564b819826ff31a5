"""Grades a folder of submissions: one learner a sub-folder, or one learner a file."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradlab.errors import FileError, UsageError
from gradlab.learn.exercise import exercise
from gradlab.learn.judge import judge_source
from gradlab.learn.learner import read_source
from gradlab.learn.notebook import source_from_notebook
from gradlab.learn.outline import Outline
from gradlab.learn.sandbox import Workshop
from gradlab.learn.verdict import STOPPED, UNWRITTEN, WRONG, Verdict

HEADER = ("learner", "chapter", "exercise", "passed", "status", "fault", "advice", "file")
MISSING = "not handed in"
UNGRADED = "this could not be graded: look at it yourself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One exercise of one learner.

    Args:
        learner: the name of the sub-folder or file.
        told: the exercise.
        verdict: None where nothing was handed in.
        file: where the code was found, relative to the learner's folder.
    """

    learner: str
    told: Outline
    verdict: Verdict | None
    file: str

    def row(self) -> tuple[str, ...]:
        """The values of `HEADER`, safe to open in a spreadsheet."""
        verdict = self.verdict
        said = (MISSING, "", "") if verdict is None else (verdict.status, verdict.fault, verdict.advice)
        cells = (self.learner, self.told.chapter.folder, self.told.name, str(int(bool(verdict))), *said, self.file)
        return tuple(_inert(cell) for cell in cells)


def grade(folder: Path, exercises: Sequence[Outline], workshop: Workshop, *, seed: int = 0) -> Iterator[Grade]:
    """Grades every learner on every exercise, learner by learner.

    Raises:
        UsageError: the folder is missing or empty.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: give one with a sub-folder or a file for each learner")
    learners = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and not path.is_symlink())
    learners = [path for path in learners if path.is_dir() or path.suffix in (".py", ".ipynb")]
    if not learners:
        raise UsageError(f"{folder} holds no submissions: give one with a sub-folder or a file for each learner")
    for learner in learners:
        for told in exercises:
            yield _grade_one(learner, told, workshop, seed)


def as_csv(grades: Sequence[Grade]) -> str:
    """The grades as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(each.row() for each in grades)
    return text.getvalue()


def _grade_one(learner: Path, told: Outline, workshop: Workshop, seed: int) -> Grade:
    """What cannot be graded is told in its own row: one submission must not cost the others their grades."""
    name = learner.name if learner.is_dir() else learner.stem
    try:
        return _first_worked_on(name, learner, told, workshop, seed)
    except Exception as error:
        advice = f"{type(error).__name__}: {error}"
        verdict = Verdict(exercise=told.name, status=STOPPED, fault=UNGRADED, advice=advice)
        return Grade(learner=name, told=told, verdict=verdict, file="")


def _first_worked_on(name: str, learner: Path, told: Outline, workshop: Workshop, seed: int) -> Grade:
    """The first file that was worked on counts; a file as it was handed out counts where there is no other."""
    found = Grade(learner=name, told=told, verdict=None, file="")
    for path in _candidates(learner, told):
        verdict = _verdict(path, told, workshop, seed)
        if verdict is not None:
            file = path.relative_to(learner).as_posix() if learner.is_dir() else path.name
            found = Grade(learner=name, told=told, verdict=verdict, file=file)
            if verdict.status != UNWRITTEN:
                break
    return found


def _verdict(path: Path, told: Outline, workshop: Workshop, seed: int) -> Verdict | None:
    """None where the file holds nothing of the exercise."""
    try:
        source = _source(path, told)
    except FileError as error:
        return Verdict(exercise=told.name, status=WRONG, fault="the file cannot be read", advice=str(error))
    return judge_source(exercise(told.name), source, workshop, seed=seed) if source else None


def _candidates(learner: Path, told: Outline) -> list[Path]:
    """Files that may hold the exercise: in its own place, then by its name anywhere, then notebooks, nearest first."""
    if learner.is_file():
        return [learner]
    files = [path for path in learner.rglob("*") if path.suffix in (".py", ".ipynb") and _honest(path, learner)]
    files.sort(key=lambda path: (len(path.parts), str(path)))
    own = [path for path in files if path.relative_to(learner) == told.path]
    named = [path for path in files if path.name == told.path.name and path not in own]
    return own + named + [path for path in files if path.suffix == ".ipynb"]


def _honest(path: Path, learner: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(learner).parts)
    return path.is_file() and not path.is_symlink() and not hidden


def _source(path: Path, told: Outline) -> str:
    text = read_source(path)
    if path.suffix == ".ipynb":
        return source_from_notebook(text, told.asks, where=path.name)
    mentioned = any(f"def {name}" in text or f"class {name}" in text for name in told.asks)
    return text if path.name == told.path.name or mentioned else ""


def _inert(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula; bytes of a file's name that are no UTF-8 are escaped."""
    text = " ".join(cell.split()).encode("utf-8", "backslashreplace").decode()
    return "'" + text if text.startswith(("=", "+", "-", "@")) else text
