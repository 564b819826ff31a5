"""Suite 1: a training that is stopped anywhere and resumed is, bit for bit, the one that was not."""

import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from gradlab.errors import InterruptedRunError
from gradlab.training import Stop
from tests.reliability.families import FAMILIES, Counting, Family, bits, differences, train

RESUMES = 2000
"""In the full part."""


class StopAfter(Stop):
    """Asks to stop once a training has looked so many times; forked processes each count for themselves."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    @property
    def signal_number(self) -> int:
        self._left -= 1
        if self._left < 0:
            self.request(signal.SIGTERM)
        return super().signal_number


def straight(family: Family, folder: Path, first_seed: int = 0) -> tuple[dict[str, str], int]:
    """What a training leaves that nobody stops, and how often it looked whether it should: once a step, and more."""
    stop = Counting()
    train(family, folder, first_seed=first_seed, stop=stop)
    return bits(folder), max(2, stop.looks // (1 + family.seeds if family.together == "processes" else 1))


def resumed(family: Family, folder: Path, looks: int, first_seed: int = 0) -> tuple[dict[str, str], list[str]] | None:
    """What a training leaves that is stopped after so many looks and resumed, and what was claimed falsely about it.

    None where it was over before.
    """
    try:
        train(family, folder, first_seed=first_seed, stop=StopAfter(looks))
    except InterruptedRunError:
        facts = train(family, folder, first_seed=first_seed)
    else:
        return None
    false = [] if all(arm["exact"] for arm in facts["arms"].values()) else ["not called exact"]
    return bits(folder), false + ([f"{facts['unreproduced']} rows lost"] if facts["unreproduced"] else [])


def sweep(name: str, most: int, first_seed: int = 0) -> tuple[int, list[str]]:
    """Resumes a family from `most` of its steps, evenly spread, or from all; returns how many, and what differed."""
    done, wrong = 0, []
    with tempfile.TemporaryDirectory(prefix="resume-") as place:
        expected, looks = straight(FAMILIES[name], Path(place) / "straight", first_seed)
        count = min(most, looks - 1)
        for point in {1 + (2 * index + 1) * (looks - 1) // (2 * count) for index in range(count)}:
            folder = Path(place) / "resumed"
            outcome = resumed(FAMILIES[name], folder, point, first_seed)
            if outcome is not None:
                done += 1
                if changed := differences(outcome[0], expected) + outcome[1]:
                    wrong.append(f"{name}, seed {first_seed}, stopped after {point} looks: {changed}")
            shutil.rmtree(folder)
    return done, wrong


def full(share: float) -> dict[str, Any]:
    """Every step of every family, with other seeds each time around, until there are enough."""
    each, done, wrong = -(-round(RESUMES * share) // len(FAMILIES)), 0, []
    for name in FAMILIES:
        left, first_seed = max(1, each), 0
        while left > 0:
            count, found = sweep(name, left, first_seed)
            wrong += found
            done, left, first_seed = done + count, left - max(count, 1), first_seed + 10
    return {"families": len(FAMILIES), "resumes": done, "differences": len(wrong), "failures": wrong}
