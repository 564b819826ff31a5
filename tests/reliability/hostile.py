"""Suite 4: any bytes give a right answer or one clear error, quickly, in little memory, and do nothing else."""

import contextlib
import random
import shutil
import tempfile
import time
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from gradlab.learn.sandbox import Workshop
from tests.reliability.guard import Guard, Limits
from tests.reliability.learner_files import LIMITS, learner_parsers
from tests.reliability.parsers import Parser, Refused, parsers

INPUTS = 100_000
"""For each parser, in the full part."""
LONGEST_SECONDS, MOST_MEBIBYTES = 2.0, 300


def fuzz(parser: Parser, count: int, guard: Guard, seed: int = 0) -> dict[str, Any]:
    """Feeds a parser so many inputs; returns how many were refused, the limits reached, and what was wrong."""
    chance = random.Random(f"{parser.name} {seed}")
    wrong, refused, begin = [], 0, time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What is loaded late is loaded now, before anybody watches.
        wrong += [f"a valid input: {trouble}" for trouble in map(parser.parse, parser.samples) if trouble]
        limits = Limits(guard.resident)
        for number in range(count):
            content = parser.change(chance.choice(parser.samples), chance)
            try:
                with guard.watched(), limits.one():
                    trouble = parser.parse(content)
            except Refused:
                refused += 1
            except Exception as error:
                wrong.append(f"input {number}: {type(error).__name__}: {str(error)[:200]}")
            else:
                wrong += [f"input {number}: {trouble}"] if trouble else []
    wrong += [f"did {what}" for what in dict.fromkeys(guard.seen)]
    guard.seen.clear()
    wrong += [f"took {limits.longest_seconds:.1f} s"] if limits.longest_seconds > LONGEST_SECONDS else []
    wrong += [f"took {limits.growth()} MiB"] if limits.growth() > MOST_MEBIBYTES else []
    return {
        "inputs": count,
        "refused": refused,
        "longest_seconds": round(limits.longest_seconds, 3),
        "memory_mebibytes": limits.growth(),
        "seconds": round(time.perf_counter() - begin, 1),
        "wrong": [f"{parser.name}: {what}" for what in wrong],
    }


def all_parsers(place: Path, working: Workshop) -> list[Parser]:
    """Everything that reads what others wrote; learners' files are run in the workshop, which the caller closes."""
    return [*parsers(place), *learner_parsers(place, working)]


def full(share: float, names: Collection[str] = ()) -> dict[str, Any]:
    """Every parser, or those of these names, with as many inputs."""
    place = Path(tempfile.mkdtemp(prefix="hostile-"))
    working = Workshop(LIMITS)
    try:
        made = all_parsers(place, working)
        guard = Guard(place)  # now that everything is loaded: memory is counted from here
        with contextlib.chdir(place):  # where command lines make their folders
            found = {
                parser.name: fuzz(parser, max(20, round(INPUTS * parser.share * share)), guard)
                for parser in made
                if not names or parser.name in names
            }
    finally:
        working.close()
        shutil.rmtree(place, ignore_errors=True)
    failures = [what for about in found.values() for what in about["wrong"]]
    return _totals({name: {**about, "wrong": len(about["wrong"])} for name, about in found.items()}, failures)


def joined(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What `full` found about some parsers, with what an earlier session had found about the others."""
    again = found["parsers"]
    kept = [what for what in known["failures"] if not what.startswith(tuple(f"{name}: " for name in again))]
    return _totals(known["parsers"] | again, kept + found["failures"])


def _totals(parsers: dict[str, dict[str, Any]], failures: list[str]) -> dict[str, Any]:
    sums = {what: sum(about[what] for about in parsers.values()) for what in ("inputs", "wrong", "seconds")}
    return {"inputs": sums["inputs"], "parsers": parsers, "wrong": sums["wrong"], "failures": failures,
            "seconds": round(sums["seconds"], 1)}  # fmt: skip
