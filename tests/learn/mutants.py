"""Wrong solutions as learners write them, each with the fault that the check must name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from gradlab.learn.exercise import exercise
from gradlab.learn.judge import judge
from gradlab.learn.observe import observe, plain
from gradlab.learn.verdict import PASSED, Verdict


@dataclass(frozen=True)
class Mutant:
    """A wrong solution."""

    exercise: str
    fault: str
    name: str
    wrong: Callable[..., Any] | Mapping[str, Callable[..., Any]]

    def __str__(self) -> str:
        return self.name

    def verdict(self, seed: int = 0) -> Verdict:
        return judged(self.exercise, self.wrong, seed)

    def check(self) -> None:
        verdict = self.verdict()
        assert verdict.status != PASSED, f"{self.name} passes"
        assert verdict.fault == self.fault, verdict


class Mutants(list[Mutant]):
    """The wrong solutions of one exercise; decorates each with the fault that must be named."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.exercise = name

    def __call__(self, fault: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def collect(wrong: Callable[..., Any]) -> Callable[..., Any]:
            self.append(Mutant(self.exercise, fault, wrong.__name__, wrong))
            return wrong

        return collect

    def add(self, fault: str, name: str, **wrong: Callable[..., Any]) -> None:
        """A wrong solution of several functions, by their names."""
        self.append(Mutant(self.exercise, fault, name, wrong))


def judged(name: str, wrong: Callable[..., Any] | Mapping[str, Callable[..., Any]], seed: int = 0) -> Verdict:
    """The verdict on a solution, in this process."""
    each = exercise(name)
    cases = [plain(case) for case in each.cases(seed)]
    outcomes = [observe(each.check.probe, each.wrong_answers(wrong), case) for case in cases]
    return judge(each, outcomes, cases)


def all_mutants() -> Iterator[tuple[str, Mutants]]:
    """Every exercise that has a file of tests, with its wrong solutions."""
    for path in sorted((Path(__file__).parent / "exercises").glob("test_*.py")):
        yield path.stem.removeprefix("test_"), import_module(f"tests.learn.exercises.{path.stem}").WRONG
