"""A learner's folder: the files to work on, and what was tried, hinted and passed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.errors import FileError, UsageError
from gradlab.learn.course import CHAPTERS
from gradlab.learn.outline import Outline, outline, outlines

STATE = "gradlab-learn.json"
LARGEST = 1_000_000
"""bytes of a learner's file"""
LARGEST_NOTEBOOK = 50_000_000
"""bytes of a notebook, which holds the pictures that it shows"""
LEVELS = 3


@dataclass(slots=True)
class Progress:
    """What a learner did with one exercise.

    Args:
        tries: checks of code of their own.
        hints: hints that were asked for, at most 3.
        passed: whether the last check passed.
    """

    tries: int = 0
    hints: int = 0
    passed: bool = False


class LearnerFolder:
    """The folder that `gradlab learn start` made.

    Args:
        path: its place; `find` looks for it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def progress(self, name: str) -> Progress:
        """What was done with an exercise so far.

        Raises:
            FileError: the state file cannot be read.
        """
        return self._read().get(name, Progress())

    def record(self, name: str, progress: Progress) -> None:
        """Remembers it.

        Raises:
            FileError: the state file cannot be read or written.
        """
        from gradlab.records import write_json

        everything = {**self._read(), name: progress}
        entries = {
            each: {"tries": done.tries, "hints": done.hints, "passed": done.passed} for each, done in everything.items()
        }
        write_json(self.path / STATE, {"schema": 1, "exercises": entries})

    def source(self, told: Outline) -> str:
        """The learner's file for an exercise.

        Raises:
            FileError: it is missing or no text.
        """
        path = self.path / told.path
        if not path.is_file():
            raise FileError(f"{path} is missing: `gradlab learn start {self.path}` writes what is missing")
        return read_source(path)

    def begun(self, told: Outline) -> bool:
        """Whether the learner has changed the file."""
        path = self.path / told.path
        return path.is_file() and read_source(path).strip() != told.starter().strip()

    def next_exercise(self) -> Outline | None:
        """The first exercise that has not passed; None after the last."""
        done = self._read()
        waiting = (name for name in self._handed_out() if not done.get(name, Progress()).passed)
        return next(map(outline, waiting), None)

    def exercises(self) -> list[Outline]:
        """The exercises of the chapters that were handed out."""
        return [outline(name) for name in self._handed_out()]

    def _handed_out(self) -> Iterator[str]:
        for chapter in CHAPTERS:
            if (self.path / chapter.folder).is_dir():
                yield from chapter.exercises

    def _read(self) -> dict[str, Progress]:
        path = self.path / STATE
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return {name: _progress(entry) for name, entry in document["exercises"].items()}
        except OSError as error:
            raise FileError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileError(
                f"{path} is damaged ({error}): delete it and run `gradlab learn start {self.path}`"
            ) from error


def find(given: str | None) -> LearnerFolder:
    """The learner's folder: the one given, else the current one or the nearest above it.

    Raises:
        UsageError: there is none.
    """
    places = [Path(given)] if given else [Path.cwd(), *Path.cwd().parents]
    for place in places:
        if (place / STATE).is_file():
            return LearnerFolder(place)
    where = f"{given} holds no exercises" if given else "no exercises here"
    raise UsageError(f"{where}: run `gradlab learn start FOLDER`, then work inside FOLDER or pass --folder")


def start(path: Path, *, notebooks: bool, chapters: Sequence[str] = ()) -> dict[str, int]:
    """Writes every exercise that the folder lacks; what is there stays as it is.

    Args:
        path: the folder.
        notebooks: writes notebooks as well.
        chapters: whose exercises to write, such as "practical1"; all, if left out.

    Returns:
        the counts "written" and "kept".

    Raises:
        FileError: the folder cannot be written.
    """
    from gradlab.records.files import make_folder, write_atomically, write_json

    make_folder(path)
    if not (path / STATE).exists():
        write_json(path / STATE, {"schema": 1, "exercises": {}})
    counts = {"written": 0, "kept": 0}
    for place, content in _files(notebooks):
        if chapters and not {place.parts[0], place.stem} & {*chapters}:
            continue
        target = path / place
        if target.exists() or target.is_symlink():
            counts["kept"] += 1
            continue
        make_folder(target.parent)
        write_atomically(target, content.encode())
        counts["written"] += 1
    return counts


def read_source(path: Path) -> str:
    """A learner's file as text.

    Raises:
        FileError: it cannot be read, is no text or is larger than 1 MB (a notebook: 50 MB).
    """
    notebook = path.suffix == ".ipynb"
    largest = LARGEST_NOTEBOOK if notebook else LARGEST
    try:
        content = path.read_bytes() if path.stat().st_size <= largest else None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    if content is None:
        remedy = "clear its outputs" if notebook else "an exercise's file is a few lines of text"
        raise FileError(f"{path} is larger than {largest / 1e6:g} MB: {remedy}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is no UTF-8 text: save it again as UTF-8") from error


def _files(notebooks: bool) -> Iterator[tuple[Path, str]]:
    for told in outlines():
        yield told.path, told.starter()
    if notebooks:
        from gradlab.learn.notebook import chapter_notebooks

        yield from chapter_notebooks(solutions=False)


def _progress(entry: dict[str, Any]) -> Progress:
    tries, hints, passed = entry["tries"], entry["hints"], entry["passed"]
    if not (isinstance(tries, int) and isinstance(hints, int) and isinstance(passed, bool)):
        raise ValueError(f"tries, hints and passed cannot be {tries!r}, {hints!r} and {passed!r}")
    return Progress(tries, min(max(hints, 0), LEVELS), passed)
