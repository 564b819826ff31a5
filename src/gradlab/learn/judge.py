"""The verdict on a learner's code: computed from plain numbers that its process handed over, beside our own."""

import ast
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gradlab.learn.compare import Tolerance, differences, same
from gradlab.learn.exercise import Exercise, Fault
from gradlab.learn.generic import input_changed, name_generic
from gradlab.learn.observe import observe, plain
from gradlab.learn.sandbox import Limits, Report, Workshop
from gradlab.learn.show import shown
from gradlab.learn.verdict import PASSED, STOPPED, UNWRITTEN, WRONG, Verdict

Outcome = dict[str, Any]
NOT_WRITTEN = "the TODO is still there"
ERROR = {"raised": str, "said": str, "line": int}
MESSAGES: tuple[dict[str, type], ...] = (
    {"stopped": str},
    {"missing": str},
    {"file": dict},
    {"begun": int},
    {"case": int, **ERROR},
    {"case": int, "value": object, "changed": list},
)
"""What `sandbox.child` writes; a learner's own code can write to the same file, so nothing else is taken for it."""


def judge_source(exercise: Exercise, source: str, workshop: Workshop, *, seed: int = 0) -> Verdict:
    """Runs a learner's source in the workshop and judges what comes out.

    Args:
        exercise: what was asked.
        source: the learner's file.
        workshop: where it is run.
        seed: of the random inputs; the same seed gives the same verdict, whoever asks.
    """
    begin = time.perf_counter()
    verdict = _refused(exercise, source)
    if verdict is None:
        cases = [plain(case) for case in exercise.cases(seed)]
        probe = exercise.check.probe
        report = workshop.run(
            source, exercise.outline.asks, cases, probe=(probe.__name__ if probe else "", exercise.probe_source())
        )
        outcomes, verdict = _outcomes(exercise, report, cases, workshop.limits)
        if verdict is None:
            verdict = judge(exercise, outcomes, cases)
        verdict = replace(verdict, printed="" if verdict else report.printed)
    return replace(verdict, seconds=round(time.perf_counter() - begin, 3))


def judge(exercise: Exercise, outcomes: Sequence[Outcome], cases: Sequence[dict[str, Any]]) -> Verdict:
    """Judges what a learner's code did on the cases.

    Args:
        exercise: what was asked.
        outcomes: of `observe`, one a case.
        cases: the inputs, plain.
    """
    tolerance = Tolerance(exercise.check.relative, exercise.check.absolute)
    ours = [observe(exercise.check.probe, exercise.answers, case) for case in cases]
    wrong = [i for i, (one, other) in enumerate(zip(outcomes, ours, strict=True)) if not same(one, other, tolerance)]
    if not wrong:
        return Verdict(exercise=exercise.name, status=PASSED)
    first = outcomes[wrong[0]]
    if first.get("raised") == "NotImplementedError":
        return Verdict(exercise=exercise.name, status=UNWRITTEN, fault=NOT_WRITTEN, advice=_what_to_write(exercise))
    fault = _matching(exercise, outcomes, ours, cases, tolerance)
    name, advice = (fault.name, fault.advice) if fault else _unnamed(outcomes, ours, wrong, tolerance)
    told = Verdict(exercise=exercise.name, status=WRONG, fault=name, advice=advice, line=first.get("line", 0))
    return replace(told, **_evidence(first, ours[wrong[0]], cases[wrong[0]], tolerance))


def _matching(
    exercise: Exercise, outcomes: Sequence[Outcome], ours: Sequence[Outcome], cases: Sequence[Any], tolerance: Tolerance
) -> Fault | None:
    """The first fault that does the same as the learner on every case and not the right thing on all.

    Where two mistakes overlap none does: then the first that does the same on the first wrong case and on half of all.
    """
    wrong = [not same(one, other, tolerance) for one, other in zip(outcomes, ours, strict=True)]
    first = wrong.index(True)
    partly = None
    for fault in exercise.check.faults:
        answers = exercise.wrong_answers(fault.wrong)
        theirs = observe(exercise.check.probe, answers, cases[first])
        if not (same(outcomes[first], theirs, tolerance) and _tells(outcomes[first], theirs)):
            continue
        alike = [
            same(o, observe(exercise.check.probe, answers, c), tolerance) for o, c in zip(outcomes, cases, strict=True)
        ]
        if all(alike):
            return fault
        if partly is None and sum(a and w for a, w in zip(alike, wrong, strict=True)) * 2 >= len(cases):
            partly = fault
    return partly


def _tells(outcome: Outcome, theirs: Outcome) -> bool:
    """Equal values tell which fault it is, and so do equal errors, but not errors of the same kind alone."""
    return "value" in theirs or (outcome.get("said") == theirs["said"] != "")


def _unnamed(
    outcomes: Sequence[Outcome], ours: Sequence[Outcome], wrong: list[int], tolerance: Tolerance
) -> tuple[str, str]:
    first = outcomes[wrong[0]]
    if "raised" in first:
        some = len(wrong) < len(outcomes)
        only = " It works on other inputs: what is special about this one?" if some else ""
        return f"{first['raised']} is raised", f"{first['said'] or 'without a text'}{only}"
    pairs = [
        next(differences(outcomes[i]["value"], ours[i]["value"], tolerance), None)
        for i in wrong
        if "value" in outcomes[i] and "value" in ours[i]
    ]
    found = [difference for difference in pairs if difference is not None]
    if not found:
        return input_changed([name for name in first["changed"]] or ["given"])
    return name_generic(found, tolerance)


def _evidence(got: Outcome, ours: Outcome, case: dict[str, Any], tolerance: Tolerance) -> dict[str, Any]:
    inputs = tuple(f"{name} = {shown(value)}" for name, value in case.items())
    if "raised" in got:
        return {"inputs": inputs, "got": f"{got['raised']}: {got['said']}", "expected": shown(ours.get("value"))}
    first = next(differences(got["value"], ours["value"], tolerance), None)
    if first is None:
        return {"inputs": inputs}
    label = f"{first.where}: " if first.where else ""
    return {"inputs": inputs, "got": label + shown(first.got), "expected": label + shown(first.expected)}


def _refused(exercise: Exercise, source: str) -> Verdict | None:
    """What needs no run: a file that is not Python, a piece that is missing, or one that is the answer itself."""
    told = Verdict(exercise=exercise.name, status=WRONG)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 0) or 0
        return replace(told, fault="this is not Python", advice=str(getattr(error, "msg", error)), line=line)
    star = next(iter(_star_imports(tree)), None)
    if star:
        return replace(
            told, fault=f"`from {star} import *` hides what you use", advice=f"Import by name, such as `import {star}`."
        )
    used = next(iter(_uses(tree, exercise.outline.without)), None)
    if used:
        return replace(
            told, fault=f"`{used}` is what you are asked to write", advice="Write it with simpler operations."
        )
    return None


def _star_imports(tree: ast.Module) -> Iterator[str]:
    """The modules of torch that all names are imported from, among them those that must not be used."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "torch":
            yield from (node.module for alias in node.names if alias.name == "*")


def _uses(tree: ast.Module, names: Sequence[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name in names)


def _outcomes(
    exercise: Exercise, report: Report, cases: Sequence[Any], limits: Limits
) -> tuple[list[Outcome], Verdict | None]:
    """One outcome a case, or the verdict where the process did not get that far."""
    told = Verdict(exercise=exercise.name, status=STOPPED)
    found: dict[int, Outcome] = {}
    for message in filter(_is_message, report.messages):
        if "stopped" in message:
            return [], replace(told, fault=f"your code {message['stopped']}", advice="The check stops there.")
        if "missing" in message:
            name = message["missing"]
            return [], replace(
                told, status=WRONG, fault=f"`{name}` is missing", advice=f"The file must define `{name}`."
            )
        if "file" in message:
            return [], _failed_file(told, message["file"])
        if "case" in message:
            found[message["case"]] = message
    hungry = next((o for o in found.values() if _out_of_memory(o)), None)
    if hungry:
        return [], replace(
            told, fault=f"your code asks for more than {limits.memory / 1e6:,.0f} MB", advice=hungry["said"]
        )
    if found.keys() == set(range(len(cases))):
        return [found[case] for case in range(len(cases))], None
    return [], _broken_off(told, report, cases, limits)


def _broken_off(told: Verdict, report: Report, cases: Sequence[Any], limits: Limits) -> Verdict:
    begun = [message["begun"] for message in filter(_is_message, report.messages) if "begun" in message]
    inputs = cases[begun[-1]] if begun and 0 <= begun[-1] < len(cases) else {}
    told = replace(told, inputs=tuple(f"{name} = {shown(value)}" for name, value in inputs.items()))
    if report.how in ("time", "ended -24"):  # 24 is SIGXCPU
        return replace(
            told,
            fault=f"your code takes longer than {_spent(report, limits):g} s",
            advice="Is there a loop that never ends?",
        )
    if report.how == "output":
        return replace(
            told,
            fault=f"your code prints more than {limits.printed / 1e6:g} MB",
            advice="Is there a `print` in a loop?",
        )
    return replace(
        told,
        fault="your code ends Python",
        advice=f"The process was gone ({report.how}) before all cases were done: `os._exit`, a crash, or no memory.",
    )


def _spent(report: Report, limits: Limits) -> float:
    return limits.wall if report.how == "time" else limits.seconds


def _failed_file(told: Verdict, error: Outcome) -> Verdict:
    if error["raised"] == "MemoryError":
        return replace(told, fault="your code asks for more memory than it may have", advice=error["said"])
    return replace(
        told,
        status=WRONG,
        fault=f"{error['raised']} is raised while the file is read",
        advice=error["said"],
        line=error["line"],
    )


def _out_of_memory(outcome: Outcome) -> bool:
    text = str(outcome.get("said", "")).lower()
    return outcome.get("raised") == "MemoryError" or "allocate memory" in text or "not enough memory" in text


def _is_message(message: dict[str, Any]) -> bool:
    """Whether it has the parts of one of `MESSAGES`, and only those."""
    whole = any(message.keys() == shape.keys() and _fits(message, shape) for shape in MESSAGES)
    names = all(isinstance(name, str) for name in message.get("changed", ())) if whole else False
    return names and ("file" not in message or _fits(message["file"], ERROR))


def _fits(message: dict[str, Any], shape: dict[str, type]) -> bool:
    return all(isinstance(message.get(name), kind) for name, kind in shape.items())


def _what_to_write(exercise: Exercise) -> str:
    where, name = "`, `".join(exercise.outline.asks), exercise.name
    return f'Replace it in `{where}`; `gradlab learn hint {name}`, in a notebook `print(hint("{name}"))`, helps.'
