"""Exercises for the handbook's practicals, and the checks that a learner's code is put through.

In a notebook: `from gradlab.learn import check`, then `check(softmax)`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradlab.learn.notebook_check import check

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    # The learner's own process imports parts of this room and must hold no exercise, so nothing is imported ahead.
    if name == "check":
        from gradlab.learn.notebook_check import check

        return check
    raise AttributeError(f"module 'gradlab.learn' has no attribute '{name}'")
