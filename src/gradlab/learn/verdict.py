"""What a check says."""

from dataclasses import asdict, dataclass
from typing import Any

PASSED, WRONG, UNWRITTEN, STOPPED = "passed", "wrong", "not written", "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of a check; true where it passed, so that `assert check(softmax)` is a test.

    Args:
        exercise: its name.
        status: "passed", "wrong", "not written" or "stopped".
        fault: what is wrong, in a few words; empty where it passed.
        advice: what to look at.
        line: the learner's line that an error came from, 0 where none did.
        inputs: of the first wrong case, a line each.
        got: what the learner's code gave.
        expected: what it should give.
        printed: the end of what the learner's code printed.
        seconds: that the check took.
    """

    exercise: str
    status: str
    fault: str = ""
    advice: str = ""
    line: int = 0
    inputs: tuple[str, ...] = ()
    got: str = ""
    expected: str = ""
    printed: str = ""
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return self.status == PASSED

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return str(self)

    def lines(self) -> list[str]:
        """The verdict as a learner reads it."""
        if self:
            return [f"{self.exercise}: passed"]
        where = f" (line {self.line})" if self.line else ""
        told = [f"{self.exercise}: {self.status}{where}: {self.fault}", *_indented("", self.advice)]
        for input_line in self.inputs:
            told += _indented("input     ", input_line)
        told += _indented("got       ", self.got) + _indented("expected  ", self.expected)
        return told + _indented("printed   ", self.printed.rstrip())

    def document(self) -> dict[str, Any]:
        """The verdict for JSON."""
        return asdict(self)


def _indented(label: str, text: str) -> list[str]:
    if not text:
        return []
    first, *rest = text.splitlines()
    return [f"  {label}{first}", *(f"  {' ' * len(label)}{line}" for line in rest)]
