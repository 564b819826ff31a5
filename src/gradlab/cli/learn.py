"""`gradlab learn start | check | hint | next | status | solution | grade`."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gradlab.cli.arguments import JSON, Flag, parse, whole_number, word
from gradlab.errors import FileError, UsageError, unknown

FOLDER = Flag(name="--folder", help="your exercises [the current folder or one above it]", convert=word, shown="FOLDER")
SEED = Flag(name="--seed", help="of the random inputs [0]", convert=whole_number, default=0, shown="SEED")
NAME = Flag(name="name", help="the exercise [the next one]", convert=word, default="")


def main(words: Sequence[str]) -> int:
    """Runs one of the verbs on exercises."""
    if not words or words[0] in ("-h", "--help"):
        print("usage: gradlab learn {start,check,hint,next,status,solution,grade} [...]\n")
        print("  start     write the exercises into a folder; what is there stays\n  check     check what you wrote")
        print("  hint      the next hint, of three\n  next      the first exercise that has not passed")
        print("  status    every exercise, with your progress\n  solution  ours, once you have tried")
        print("  grade     check every learner's folder, for a teacher")
        return 0
    if words[0] not in VERBS:
        raise unknown("learn command", words[0], VERBS, where="gradlab learn --help")
    return VERBS[words[0]](words[1:])


def _start(words: Sequence[str]) -> int:
    flags = [
        Flag(name="folder", help="where to write", convert=word),
        Flag(name="--notebooks", help="write notebooks as well [yes]", negatable=True, default=True),
        Flag(name="--only", help="chapters to write, such as practical1 [all]", convert=_chapter, many=True, default=(),
             shown="CHAPTER"),
        JSON,
    ]  # fmt: skip
    options = parse("learn start", "Writes the exercises into a folder; files that are there stay.", flags, words)
    from gradlab.learn.learner import start

    folder = Path(options["folder"])
    counts = start(folder, notebooks=bool(options["notebooks"]), chapters=options["only"])
    kept = f", {counts['kept']} were there already and stay as they are" if counts["kept"] else ""
    text = f"{counts['written']} files written to {folder}{kept}\nbegin with: cd {folder} && gradlab learn next"
    print(json.dumps({"schema": 1, "folder": str(folder), **counts}, indent=2) if options["json"] else text)
    return 0


def _chapter(_flag: str, text: str) -> str:
    from gradlab.learn.course import CHAPTERS

    known = [chapter.folder for chapter in CHAPTERS]
    if text not in known:
        raise unknown("chapter", text, known)
    return text


def _check(words: Sequence[str]) -> int:
    flags = [
        Flag(name="names", help="exercises or chapters [all you have begun]", convert=word, many=True, default=()),
        Flag(name="--watch", help="check again whenever a file is saved, until Ctrl-C"),
        SEED, FOLDER, JSON,
    ]  # fmt: skip
    options = parse("learn check", "Checks what you wrote and names what is wrong.", flags, words)
    if options["watch"] and options["json"]:
        raise UsageError("--watch speaks to a person: leave --json away")
    # Linear algebra starts threads when it is imported, unless told not to, and a process with threads does not fork.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    from gradlab.cli.learn_check import check_all, watch

    return (watch if options["watch"] else check_all)(options)


def _hint(words: Sequence[str]) -> int:
    options = parse("learn hint", "The next hint, of three.", [NAME, FOLDER, JSON], words)
    from gradlab.learn.learner import LEVELS, find

    folder = find(options["folder"])
    told = _told(options["name"], folder)
    progress = folder.progress(told.name)
    last = progress.hints >= LEVELS
    progress.hints = min(progress.hints + 1, LEVELS)
    folder.record(told.name, progress)
    given = told.hints[: progress.hints]
    if options["json"]:
        print(json.dumps({"schema": 1, "exercise": told.name, "hints": list(given)}, indent=2))
        return 0
    print(f"{told.name}: {told.title}")
    print("\n".join(f"  hint {level} of {LEVELS}: {text}" for level, text in enumerate(given, 1)))
    if last:
        print(f"that was the last: `gradlab learn solution {told.name}` shows ours once you have tried")
    return 0


def _next(words: Sequence[str]) -> int:
    options = parse("learn next", "The first exercise that has not passed.", [FOLDER, JSON], words)
    from gradlab.learn.learner import find

    folder = find(options["folder"])
    told = folder.next_exercise()
    if options["json"]:
        document = {"name": told.name, "title": told.title, "statement": told.statement} if told else None
        print(json.dumps({"schema": 1, "exercise": document}, indent=2))
    elif told is None:
        print("every exercise has passed")
    else:
        print(f"{told.name}: {told.title}   ({told.chapter.title})\n\n{told.statement}\n")
        print(f"write it in {folder.path / told.path}, then run: gradlab learn check {told.name}")
    return 0


def _status(words: Sequence[str]) -> int:
    options = parse("learn status", "Every exercise, with your progress.", [FOLDER, JSON], words)
    from gradlab.learn.learner import LearnerFolder, Progress, find
    from gradlab.learn.outline import outlines

    folder: LearnerFolder | None = None
    try:
        folder = find(options["folder"])
    except UsageError:
        if options["folder"]:
            raise
    listed = folder.exercises() if folder else outlines()
    done = {told.name: folder.progress(told.name) if folder else Progress() for told in listed}
    if options["json"]:
        entries = [
            {"name": told.name, "title": told.title, "chapter": told.chapter.folder, "asks": list(told.asks),
             "source": told.source, "file": told.path.as_posix(), "passed": done[told.name].passed,
             "tries": done[told.name].tries, "hints": done[told.name].hints}
            for told in listed
        ]  # fmt: skip
        print(json.dumps({"schema": 1, "folder": str(folder.path) if folder else None, "exercises": entries}, indent=2))
        return 0
    _print_status(done)
    print("\nno exercises here yet: gradlab learn start FOLDER" if folder is None else "\ngo on: gradlab learn next")
    return 0


def _print_status(done: dict[str, Any]) -> None:
    from gradlab.learn.course import CHAPTERS
    from gradlab.learn.outline import outline

    width = max(map(len, done), default=0)
    for chapter in CHAPTERS:
        if not {*chapter.exercises} <= done.keys():
            continue  # not handed out
        passed = sum(done[name].passed for name in chapter.exercises)
        print(f"{chapter.folder}: {chapter.title}   {passed} of {len(chapter.exercises)} passed")
        for name in chapter.exercises:
            progress = done[name]
            state = "passed" if progress.passed else f"tried {progress.tries}x" if progress.tries else "-"
            print(f"  {name.ljust(width)}  {state:<9}  {outline(name).title}")
    print(f"\n{sum(progress.passed for progress in done.values())} of {len(done)} passed")


def _solution(words: Sequence[str]) -> int:
    options = parse("learn solution", "Our solution, once you have tried.", [NAME, FOLDER, JSON], words)
    from gradlab.learn.learner import find

    folder = find(options["folder"])
    told = _told(options["name"], folder)
    if folder.progress(told.name).tries == 0:
        raise UsageError(
            f"try {told.name} first: write in {folder.path / told.path}, then run `gradlab learn check {told.name}`"
        )
    document = {"schema": 1, "exercise": told.name, "solution": told.solution()}
    print(json.dumps(document, indent=2) if options["json"] else told.solution().rstrip())
    return 0


def _grade(words: Sequence[str]) -> int:
    flags = [
        Flag(name="folder", help="a sub-folder, notebook or file for each learner", convert=word),
        Flag(name="--csv", help="write the grades there, one row a learner and exercise", convert=word, shown="FILE"),
        Flag(name="--exercises", help="exercises or chapters to grade [all]", convert=word, many=True, default=(),
             shown="NAME"),
        SEED, JSON,
    ]  # fmt: skip
    options = parse("learn grade", "Checks every learner's folder, notebook or file.", flags, words)
    from gradlab.cli.learn_check import grade_all

    return grade_all(options)


def _told(name: str, folder: Any) -> Any:
    from gradlab.learn.outline import find_exercise

    told = find_exercise(name) if name else folder.next_exercise()
    if told is None:
        raise UsageError("every exercise has passed: name one, see `gradlab learn status`")
    if not (folder.path / told.path).is_file():
        raise FileError(f"{folder.path / told.path} is missing: `gradlab learn start {folder.path}` writes it again")
    return told


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "start": _start, "check": _check, "hint": _hint, "next": _next, "status": _status, "solution": _solution,
    "grade": _grade,
}  # fmt: skip
