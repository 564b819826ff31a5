"""A question of the handbook, and what of a run answers it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gradlab.records import RunFolder


def _nothing(_run: RunFolder) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the handbook asks, and where the answer comes from.

    Args:
        part: where the handbook asks it.
        text: the question.
        experiment: the module of the experiment that answers it.
        opening: whether its page's `Answer` is the first part of the answer.
        shows: titles of the page's figures and tables, and headings of its texts, that belong to the answer.
        discuss: further sentences, computed from the run.
        measured: whether the answer rests on what the run measured, of which a quick run settles nothing.
        arms: words with which arms of the run must begin, each at least one, for the run to hold the answer.
    """

    part: str
    text: str
    experiment: ModuleType
    opening: bool = True
    shows: tuple[str, ...] = ()
    discuss: Callable[[RunFolder], Iterable[str]] = _nothing
    measured: bool = True
    arms: tuple[str, ...] = ()

    @property
    def experiment_name(self) -> str:
        """The experiment's name on the command line."""
        return self.experiment.__name__.rpartition(".")[2]

    def answering(self, runs: Mapping[str, Sequence[RunFolder]]) -> RunFolder | None:
        """Of the experiment's runs with the arms, a full one with fewest others, else a quick one; None without any."""
        candidates = [run for run in runs.get(self.experiment_name, ()) if self._others(run) is not None]
        return min(candidates, key=lambda run: (run.document("config")["quick"], self._others(run) or 0), default=None)

    def _others(self, run: RunFolder) -> int | None:
        """How many arms of a run the question does not name, where it names any; None where one is missing."""
        arms: Mapping[str, Any] = run.document("results")["arms"]
        if not all(any(arm.startswith(word) for arm in arms) for word in self.arms):
            return None
        return sum(not arm.startswith(self.arms) for arm in arms) if self.arms else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Practical:
    """The questions of a practical, of the slides or of the cheat-sheet, in their order."""

    title: str
    subject: str
    questions: tuple[Question, ...]
