"""What an exercise's check is made of: how inputs are drawn, and the faults it can name."""

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradlab.learn.extract import closure
from gradlab.learn.outline import Outline, outline
from gradlab.rng import generator


class Draw:
    """Random shapes and values of one case; the same seed and case give the same ones.

    Args:
        seed: of the whole check.
        case: number of the case; case 0 is the smallest, since it is the one a learner is shown.
    """

    def __init__(self, seed: int, case: int) -> None:
        self.case = case
        self.generator = generator(seed, f"learn {case}")

    def size(self, low: int, high: int) -> int:
        """A size from `low` to `high`; `low` in case 0."""
        return low if self.case == 0 else self.whole(low, high)

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def choice(self, options: Sequence[Any]) -> Any:
        """One of the options; the first in case 0."""
        return options[0 if self.case == 0 else self.whole(0, len(options) - 1)]

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers (float32), rounded to two digits, so that they can be followed by hand."""
        return (torch.randn(shape, generator=self.generator) * 100).round() / 100

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in [0, 1) (float32)."""
        return torch.rand(shape, generator=self.generator)

    def labels(self, count: int, classes: int) -> Tensor:
        """Classes [count] (int64)."""
        return torch.randint(classes, (count,), generator=self.generator)

    def order(self, count: int) -> Tensor:
        """A random order [count] (int64)."""
        return torch.randperm(count, generator=self.generator)


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake that the check can name.

    Args:
        name: the mistake in a few words; the headline of the verdict.
        advice: one sentence on what to look at.
        wrong: the function or class with that mistake; a mapping by name where an exercise asks for several.
            A learner's code has this fault if it does the same as `wrong` on every case.
    """

    name: str
    advice: str
    wrong: Callable[..., Any] | Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How an exercise is checked.

    Args:
        case: the inputs of one case by name: tensors, numbers, texts and lists of them.
        faults: the mistakes that can be named, the likelier first.
        probe: what is done with the learner's code: gets the asked functions or classes, then the inputs by name.
            Without one the asked function is called with the inputs in their order.
        cases: how many are tried.
        relative: relative tolerance of numbers.
        absolute: absolute tolerance of numbers.
    """

    case: Callable[[Draw], dict[str, Any]]
    faults: tuple[Fault, ...]
    probe: Callable[..., Any] | None = None
    cases: int = 6
    relative: float = 1e-4
    absolute: float = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """An exercise with its check and our own answer to it."""

    outline: Outline
    check: Check
    answers: tuple[Callable[..., Any], ...]

    @property
    def name(self) -> str:
        """The exercise's name."""
        return self.outline.name

    def probe_source(self) -> str:
        """The probe's source, which runs beside the learner's code and holds no solution; empty without a probe."""
        return closure(self.outline.text, [self.check.probe.__name__]) if self.check.probe else ""

    def wrong_answers(self, wrong: Callable[..., Any] | Mapping[str, Callable[..., Any]]) -> list[Callable[..., Any]]:
        """The answers with those of a fault in their place."""
        if not isinstance(wrong, Mapping):
            return [wrong]
        return [wrong.get(name, answer) for name, answer in zip(self.outline.asks, self.answers, strict=True)]

    def cases(self, seed: int) -> list[dict[str, Any]]:
        """The inputs of every case."""
        return [self.check.case(Draw(seed, case)) for case in range(self.check.cases)]


@functools.cache
def exercise(name: str) -> Exercise:
    """Imports an exercise.

    Raises:
        UsageError: no exercise has this name.
    """
    told = outline(name)
    module = importlib.import_module(f"gradlab.learn.exercises.{name}")
    return Exercise(outline=told, check=module.CHECK, answers=tuple(getattr(module, asked) for asked in told.asks))
