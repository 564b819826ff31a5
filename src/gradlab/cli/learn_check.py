"""The parts of `gradlab learn` that run learners' code."""

import json
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from gradlab.errors import UsageError
from gradlab.learn.learner import LearnerFolder, find
from gradlab.learn.outline import Outline, chosen, outline, outlines
from gradlab.learn.sandbox import Workshop
from gradlab.learn.sandbox.workshop import LACKING
from gradlab.learn.verdict import Verdict
from gradlab.records import write_atomically

PAUSE = 0.2
"""seconds between two looks at the files"""


def check_all(options: dict[str, Any]) -> int:
    """Checks the named exercises, or all that were begun; 1 unless every one passed."""
    folder = find(options["folder"])
    names = _names(chosen(options["names"]) or [each for each in outlines() if folder.begun(each)])
    if not names:
        raise UsageError("nothing to check yet: `gradlab learn next` says where to begin")
    with Workshop(fork=True) as workshop:
        told, verdicts = [outline(name) for name in names], []
        for each in told:
            verdicts.append(_check_one(folder, each, workshop, options["seed"]))
            if not options["json"]:
                full = len(told) == 1 or all(verdicts[:-1])
                print("\n".join(verdicts[-1].lines() if full else verdicts[-1].lines()[:1]))
    passed = sum(map(bool, verdicts))
    if options["json"]:
        documents = [verdict.document() for verdict in verdicts]
        print(json.dumps({"schema": 1, "passed": passed, "verdicts": documents, "note": LACKING}, indent=2))
    else:
        _say_what_is_next(folder, told, passed)
    return 0 if passed == len(told) else 1


def watch(options: dict[str, Any]) -> int:
    """Checks an exercise whenever its file is saved; ends with Ctrl-C."""
    folder = find(options["folder"])
    names = _names(chosen(options["names"]) or folder.exercises())
    with Workshop(fork=True) as workshop:
        watched = [outline(name) for name in names]
        print("watching: save a file and it is checked; Ctrl-C ends", flush=True)
        for told in _saved(folder, watched):
            print("\n" + "\n".join(_check_one(folder, told, workshop, options["seed"]).lines()), flush=True)
    return 0


def grade_all(options: dict[str, Any]) -> int:
    """Grades every learner; 0 whatever they wrote."""
    told = chosen(options["exercises"]) or outlines()
    with Workshop() as workshop:
        from gradlab.learn.grade import as_csv, grade

        grades = list(grade(Path(options["folder"]), told, workshop, seed=options["seed"]))
    if options["csv"]:
        write_atomically(Path(options["csv"]), as_csv(grades).encode())
    rows = {learner: list(each) for learner, each in groupby(grades, key=lambda found: found.learner)}
    if options["json"]:
        learners = [
            {"learner": learner, "passed": sum(bool(each.verdict) for each in found), "exercises": [
                {"name": each.told.name, "file": each.file,
                 "verdict": each.verdict.document() if each.verdict is not None else None} for each in found]}
            for learner, found in rows.items()
        ]  # fmt: skip
        print(json.dumps({"schema": 1, "learners": learners, "csv": options["csv"], "note": LACKING}, indent=2))
        return 0
    width = max(map(len, rows))
    for learner, found in rows.items():
        handed = [each for each in found if each.verdict is not None]
        passed = sum(bool(each.verdict) for each in handed)
        print(f"{learner.ljust(width)}  {passed:>3} of {len(told)} passed, {len(handed)} handed in")
    print(f"\nevery verdict: {options['csv']}" if options["csv"] else "\n--csv FILE keeps every verdict")
    return 0


def _names(told: Sequence[Outline]) -> list[str]:
    """What they are called; nothing else is kept of them, since this process is forked to one that must not know."""
    outline.cache_clear()
    return [each.name for each in told]


def _check_one(folder: LearnerFolder, told: Outline, workshop: Workshop, seed: int) -> Verdict:
    source, begun = folder.source(told), folder.begun(told)
    from gradlab.learn.exercise import exercise
    from gradlab.learn.judge import judge_source

    verdict = judge_source(exercise(told.name), source, workshop, seed=seed)
    if begun:
        progress = folder.progress(told.name)
        progress.tries += 1
        progress.passed = bool(verdict)
        folder.record(told.name, progress)
    return verdict


def _saved(folder: LearnerFolder, watched: Sequence[Outline]) -> Iterator[Outline]:
    """Each exercise whose file was saved, for ever."""
    seen = {told.name: _stamp(folder.path / told.path) for told in watched}
    while True:
        for told in watched:
            stamp = _stamp(folder.path / told.path)
            if stamp not in (0, seen[told.name]):
                seen[told.name] = stamp
                yield told
        time.sleep(PAUSE)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _say_what_is_next(folder: LearnerFolder, told: Sequence[Outline], passed: int) -> None:
    if len(told) > 1:
        print(f"\n{passed} of {len(told)} passed")
    if passed == len(told):
        following = folder.next_exercise()
        print(f"next: {following.name} ({following.title})" if following else "every exercise has passed")
    if LACKING:
        print(f"note: {LACKING}")
