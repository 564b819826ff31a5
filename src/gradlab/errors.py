"""Errors a user can cause, each with the exit code of the command line."""

import difflib
from collections.abc import Iterable


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
    """Returns the error for a name that is not among the known ones, with the nearest of them.

    Args:
        kind: what the name stands for, such as "dataset".
        value: the name as the user gave it.
        known: every legal name.
        where: where the list of names can be read, such as "gradlab data list".
    """
    names = [str(name) for name in known]
    folded = {name.lower().replace("-", "_"): name for name in names}
    near = difflib.get_close_matches(value.lower().replace("-", "_"), folded, n=1, cutoff=0.5)
    advice = f"did you mean '{folded[near[0]]}'?" if near else f"known: {', '.join(names)}"
    pointer = f" (see {where})" if where else ""
    return UsageError(f"unknown {kind} '{value}': {advice}{pointer}")
