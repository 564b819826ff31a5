"""The rows of a run: appended as they are measured, in one order at the end, compared when a run is resumed."""

import json
import math
from collections import Counter
from pathlib import Path

from gradlab.records.files import append_line, write_atomically

Row = dict[str, str | int | float | bool | None]
"""One tidy measurement, such as {"arm": "LeNet", "seed": 2, "epoch": 7, "split": "validation", "accuracy": 0.98}."""


class RowJournal:
    """Keeps `rows.jsonl` while a run goes on.

    A resumed run yields all its rows again, the early ones from saved state. Lines that stand in the file already are
    not written twice; lines that the resumed run never yields again count as `unreproduced`: the proof, or the
    disproof, that the resumed run is the interrupted one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._earlier = Counter(_complete_lines(path))
        self._rows: list[Row] = []
        if path.exists():
            # A kill in the middle of an append leaves half a line; the next append must not continue it.
            write_atomically(path, _as_file(list(self._earlier.elements())))

    def add(self, row: Row) -> None:
        """Takes one row; it reaches the file before the call returns.

        Raises:
            FileError: the file cannot be written.
        """
        self._rows.append(row)
        line = as_line(row)
        if self._earlier[line] > 0:
            self._earlier[line] -= 1
        else:
            append_line(self._path, line)

    @property
    def rows(self) -> list[Row]:
        """All rows of this session, in the order in which they came."""
        return list(self._rows)

    @property
    def unreproduced(self) -> int:
        """How many lines of an earlier session have not come again."""
        return sum(self._earlier.values())

    def finish(self) -> int:
        """Rewrites the file in its final order and returns how many earlier lines were not reproduced.

        The order is arm (as first met), epoch, step, seed, then order of arrival within a replica: it does not depend
        on which replica happened to report first. A row without an epoch (a result of the selected weights) follows
        those with one.
        """
        arms = {arm: position for position, arm in enumerate(dict.fromkeys(row.get("arm") for row in self._rows))}

        def place(row: Row) -> tuple[float, ...]:
            numbers = (row.get(name) for name in ("epoch", "step", "seed"))
            return (arms[row.get("arm")], *(math.inf if value is None else float(value) for value in numbers))

        self._rows.sort(key=place)
        write_atomically(self._path, _as_file([as_line(row) for row in self._rows]))
        return self.unreproduced


def as_line(row: Row) -> str:
    """The row as one line of JSON; a measurement that is not finite becomes null and is named under "not_finite"."""
    broken = [name for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)]
    if broken:
        row = {name: None if name in broken else value for name, value in row.items()} | {
            "not_finite": ",".join(broken)
        }
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def read_rows(path: Path) -> list[Row]:
    """The rows of a `rows.jsonl`; a last line cut short by a crash is left out, as are lines that are not JSON objects.

    Returns an empty list where there is no file.
    """
    return [json.loads(line) for line in _complete_lines(path)]


def _complete_lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    text = path.read_bytes().decode("utf-8", errors="replace")
    whole, _, _torn = text.rpartition("\n")
    return [line for line in whole.split("\n") if _is_object(line)]


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _as_file(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()
