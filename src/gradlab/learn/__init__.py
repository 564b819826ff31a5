"""Exercises for the handbook's practicals, and the checks that a learner's code is put through.

In a notebook: `from gradlab.learn import check, hint`, then `check(softmax)`, or `print(hint("softmax"))`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradlab.learn.notebook_check import check, hint

__all__ = ["check", "hint"]


def __getattr__(name: str) -> Any:
    # The learner's own process imports parts of this room and must hold no exercise, so nothing is imported ahead.
    if name in __all__:
        from gradlab.learn import notebook_check

        return getattr(notebook_check, name)
    raise AttributeError(f"module 'gradlab.learn' has no attribute '{name}'")
