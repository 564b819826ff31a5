"""Errors a user can cause, each with the exit code of the command line."""

import difflib
from collections.abc import Iterable

LIKE = 0.5
"""How like a name what was typed must be, of 1, to be taken for a slip."""


class GradlabError(Exception):
    """One clear line for the user; `exit_code` is what the command line ends with."""

    exit_code = 70


class UsageError(GradlabError, ValueError):
    """A name, flag or value that gradlab does not know or cannot use."""

    exit_code = 2


class DataUnavailableError(GradlabError):
    """A dataset or one of its files is missing, damaged or out of reach."""

    exit_code = 69


class FileError(GradlabError, OSError):
    """A file could not be read or written, or its content is damaged."""

    exit_code = 74


class DivergedError(GradlabError, ArithmeticError):
    """Training met a loss that is not finite."""

    exit_code = 1


class InterruptedRunError(BaseException):
    """A signal stopped the run after its state was saved.

    No `Exception`, as `KeyboardInterrupt` is none: it can come at any moment, also inside of code that handles every
    exception as its own failure, and must reach the top.
    """

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def unknown(kind: str, value: str, known: Iterable[str], *, where: str = "") -> UsageError:
    """Returns the error for a name that is not among the known ones, with the nearest of them, or all that are as near.

    Args:
        kind: what the name stands for, such as "dataset".
        value: the name as the user gave it.
        known: every legal name.
        where: where the list of names can be read, such as "gradlab data list".
    """
    names = [str(name) for name in known]
    folded = {name.lower().replace("-", "_"): name for name in names}
    near = [f"'{folded[name]}'" for name in _nearest(value.lower().replace("-", "_"), folded)]
    advice = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
    pointer = f" (see {where})" if where else ""
    return UsageError(f"unknown {kind} '{value}': {advice}{pointer}")


def _nearest(value: str, known: Iterable[str]) -> list[str]:
    """Those most like the value, in their own order; none where none is like it."""
    likeness = {name: difflib.SequenceMatcher(None, name, value).ratio() for name in known}
    most = max(likeness.values(), default=0.0)
    return [name for name, ratio in likeness.items() if ratio == most] if most >= LIKE else []
