"""A graph as plain values: boxes, and arrows between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradlab.errors import UsageError
from gradlab.report.wording import counted

KINDS = ("step", "leaf", "unknown", "output")
LARGEST = 240
"""Graphs of more boxes are not drawn: nobody can follow them."""


@dataclass(frozen=True, slots=True)
class Box:
    """One node of a graph.

    Args:
        title: its first line.
        detail: its second line, such as its value.
        kind: one of `KINDS`, which picks the colour of its edge.
        tip: what is shown when it is pointed at or has the keyboard's focus; read aloud as well.
        anchor: the part of the page that it leads to; "" for none.
    """

    title: str
    detail: str = ""
    kind: str = "step"
    tip: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between two boxes, by their positions, with what flows along it."""

    start: int
    end: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class GraphChart:
    """Boxes in layers, each below all boxes that have an arrow to it.

    Raises:
        UsageError: an arrow leads nowhere, the arrows form a circle, or there are too many boxes.
    """

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    title: str
    caption: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        count = len(self.boxes)
        if count > LARGEST:
            raise UsageError(f"a graph of at most {LARGEST} boxes can be drawn: got {count}")
        for arrow in self.arrows:
            if not (0 <= arrow.start < count and 0 <= arrow.end < count):
                raise UsageError(f"an arrow joins two of {count} boxes: got {arrow.start} and {arrow.end}")
        if not self.alt:
            object.__setattr__(self, "alt", self._described())

    def _described(self) -> str:
        joined = (f"{self.boxes[a.start].title} to {self.boxes[a.end].title}" for a in self.arrows[:20])
        more = f"; and {len(self.arrows) - 20} more" if len(self.arrows) > 20 else ""
        return f"Graph of {counted(len(self.boxes), 'node')}. Arrows: {'; '.join(joined) or 'none'}{more}."
