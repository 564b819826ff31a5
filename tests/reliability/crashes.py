"""Suite 2: whatever breaks while a run is saved, it is resumed, has lost one save interval at most, and is exact."""

import itertools
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.reliability.families import FAMILIES, Counting, bits, differences, train
from tests.reliability.faults import FAULTS, Events, end_of, forked

SAVE_STEPS = 2
SYSTEMATIC = ("logistic regression", "stacked seeds")
KILLS = 300
"""At random moments, in the full part."""


class Trial:
    """One family in one place: what an undisturbed run leaves, and what is left after one that was disturbed."""

    def __init__(self, name: str, place: Path) -> None:
        self.name, self.place = name, place
        self.folder = place / "run"
        train(FAMILIES[name], place / "warm")  # imports take time once
        begin = time.perf_counter()
        train(FAMILIES[name], place / "straight", save_steps=SAVE_STEPS)
        self.seconds = time.perf_counter() - begin
        self._expected = bits(place / "straight")

    def events(self) -> list[str]:
        """The file events of an undisturbed run, in order."""
        with Events(self.folder).watched() as events:
            train(FAMILIES[self.name], self.folder, save_steps=SAVE_STEPS)
        shutil.rmtree(self.folder)
        return events.names

    def broken_at(self, event: int, fault: str) -> list[str]:
        """What is wrong after a run that met a fault at one of its file events, and was resumed."""
        stop = Counting()

        def work() -> None:
            with Events(self.folder, at=event, fault=fault).watched():
                train(FAMILIES[self.name], self.folder, save_steps=SAVE_STEPS, stop=stop)

        told = self.place / "told"
        told.write_text("")
        code = end_of(forked(work, told))
        wrong = self._lost(stop.looks - 1)
        if fault in ("kill", "torn") and code != -signal.SIGKILL:
            wrong.append(f"ended with {code} instead of the kill")
        if fault not in ("kill", "torn") and code not in (0, 74):
            wrong.append(f"ended with exit code {code}: {told.read_text()}")
        return [f"{self.name}, {fault} at event {event}: {what}" for what in wrong + self._resumed()]

    def killed_after(self, delays: list[float]) -> list[str]:
        """What is wrong after a run that was killed again and again, each time after so many seconds, and resumed."""
        for delay in delays:
            pid = forked(lambda: train(FAMILIES[self.name], self.folder, save_steps=SAVE_STEPS), self.place / "told")
            time.sleep(delay)
            os.kill(pid, signal.SIGKILL)
            if (code := end_of(pid)) not in (0, -signal.SIGKILL):
                return [f"{self.name}, ended with {code}: {(self.place / 'told').read_text()}"]
        return [f"{self.name}, killed after {delays}: {what}" for what in self._resumed()]

    def _lost(self, steps: int) -> list[str]:
        saved = [int(path.stem) for path in self.folder.glob("state/*/*/*.state")]
        lost = steps - max(saved, default=0)
        return [f"{lost} steps lost"] if lost > SAVE_STEPS else []

    def _resumed(self) -> list[str]:
        try:
            facts = train(FAMILIES[self.name], self.folder, save_steps=SAVE_STEPS)
            wrong = differences(bits(self.folder), self._expected)
            if not all(arm["exact"] for arm in facts["arms"].values()) or facts["unreproduced"]:
                wrong.append("called not exact")
            wrong += [f"{path.name} left behind" for path in self.folder.rglob("*.part")]
        except Exception as error:
            wrong = [f"resume failed: {type(error).__name__}: {error}"]
        shutil.rmtree(self.folder, ignore_errors=True)
        return wrong


def at_every_event(name: str, every: int) -> tuple[int, int, list[str]]:
    """Breaks every n-th file event of a family's run with every fault; returns events, trials and what was wrong."""
    with tempfile.TemporaryDirectory(prefix="crash-") as place:
        trial = Trial(name, Path(place))
        events = trial.events()
        # A fault further on each time, so that thinning out leaves no kind of event aside.
        chosen = [(event, fault) for shift, fault in enumerate(FAULTS)
                  for event in range(shift * every // len(FAULTS), len(events), every)]  # fmt: skip
        wrong = [what for event, fault in chosen for what in trial.broken_at(event, fault)]
        return len(events), len(chosen), wrong


def at_random(kills: int, chance: random.Random) -> tuple[int, list[str]]:
    """Kills runs of every family at random moments, some of them twice; returns how many kills, and what was wrong."""
    done, wrong = 0, []
    for name in itertools.islice(itertools.cycle(FAMILIES), -(-kills // 3)):
        with tempfile.TemporaryDirectory(prefix="kill-") as place:
            trial = Trial(name, Path(place))
            for count in (1, 2):
                wrong += trial.killed_after([chance.uniform(0, trial.seconds) for _ in range(count)])
                done += count
    return done, wrong


def full(share: float) -> dict[str, Any]:
    """Every event of two families with every fault (thinned out below a share of 1), and the kills at random."""
    found = {name: at_every_event(name, max(1, round(1 / share))) for name in SYSTEMATIC}
    kills, wrong = at_random(max(6, round(KILLS * share)), random.Random(1))
    wrong += [what for _, _, more in found.values() for what in more]
    return {
        "file_events": {name: events for name, (events, _, _) in found.items()},
        "faults_at_events": sum(trials for _, trials, _ in found.values()),
        "kinds_of_fault": list(FAULTS),
        "kills_at_random_moments": kills,
        "wrong": len(wrong),
        "failures": wrong,
    }
