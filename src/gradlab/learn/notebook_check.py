"""`check` and `hint` in a notebook or a script, as `gradlab learn check` and `gradlab learn hint` give them."""

import atexit
import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradlab.errors import UsageError
from gradlab.learn.exercise import exercise
from gradlab.learn.judge import judge_source
from gradlab.learn.notebook import source_from_cells
from gradlab.learn.outline import find_exercise
from gradlab.learn.sandbox import Workshop
from gradlab.learn.verdict import Verdict


def check(asked: str | Callable[..., Any], *, source: str | None = None, seed: int = 0) -> Verdict:
    """Checks what you wrote; the verdict is true where it passed.

    The code is taken from the notebook's cells (or the script) and run in a process of its own, so only what the
    function uses of the notebook counts.

    Args:
        asked: your function or class, or the name of an exercise.
        source: the code itself, instead of the notebook's cells.
        seed: of the random inputs.

    Raises:
        UsageError: no exercise asks for it, or its code cannot be found.
    """
    told = find_exercise(asked if isinstance(asked, str) else asked.__name__)
    if source is None:
        source = source_from_cells(_cells(asked), told.asks)
    return judge_source(exercise(told.name), source, _workshop(), seed=seed)


def hint(asked: str | Callable[..., Any], level: int = 1) -> str:
    """A hint for an exercise.

    Args:
        asked: your function or class, or the name of an exercise.
        level: 1 to 3; each tells more.

    Raises:
        UsageError: no exercise asks for it, or there is no such level.
    """
    told = find_exercise(asked if isinstance(asked, str) else asked.__name__)
    if not 1 <= level <= len(told.hints):
        raise UsageError(f"a hint's level is 1 to {len(told.hints)}: got {level}")
    return told.hints[level - 1]


def _cells(asked: str | Callable[..., Any]) -> list[str]:
    """The cells run so far, in order; in a script the file that defines the function."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None:
        return [str(cell) for cell in shell.user_ns.get("In", [])]
    file = inspect.getsourcefile(asked) if callable(asked) else None
    if file is None or not Path(file).is_file():
        raise UsageError("the code cannot be found here: pass it as source=, or run `gradlab learn check`")
    return [Path(file).read_text(encoding="utf-8")]


@functools.cache
def _workshop() -> Workshop:
    workshop = Workshop()
    atexit.register(workshop.close)
    return workshop
