"""What a page is made of: plain values that say what to show, and nothing about how it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.errors import UsageError
from gradlab.report.graph_chart import GraphChart
from gradlab.report.plane_charts import FieldChart, HeatMaps, ScatterChart, SurfaceChart
from gradlab.report.wording import counted, interval_text, joined, number

MOST_CLASSES = 100
"""A confusion matrix of more has cells that nobody can tell apart."""
FEW_SEEDS = 3
"""Up to so many seeds are drawn each, without a band: a t interval of two ends 9 standard deviations off their mean."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the page's question in one sentence with numbers; it stands right below the question."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part of the page."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs of plain text (an empty line parts them), with a heading of their own or none."""

    text: str
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of short sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be copied as it is, such as a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values side by side, such as a configuration."""

    pairs: Sequence[tuple[str, str]]
    heading: str | None = None
    anchor: str = ""
    """The name under which a graph's box leads to the heading."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text below a header of as many cells.

    Raises:
        UsageError: a row has more or fewer cells than the header.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    metrics: tuple[str, ...] = ()
    """The metrics that the table already covers, so that the page need not repeat them."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise UsageError(f"a table row has {len(row)} cells under a header of {len(self.header)}: {list(row)}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: the mean over seeds at each x, and the interval of that mean where there is one."""

    name: str
    style: str
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    n: tuple[int, ...]
    colour: int = 0
    """Position of the line's name among all arms of the rows, so that an arm keeps its colour from chart to chart."""
    seeds: tuple[tuple[str, tuple[float | None, ...]], ...] = ()
    """Name and values of each seed, None where it has none; empty where a band is drawn, or there is one seed."""

    def banded(self) -> list[int]:
        """The places of x at which the interval is drawn: those with enough seeds for one."""
        return [at for at, low in enumerate(self.low) if low is not None and self.n[at] > FEW_SEEDS]


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines with bands or seeds, made by `line_chart`; the line's name picks the colour, its style the dash."""

    lines: tuple[Line, ...]
    title: str
    x_label: str
    y_label: str
    percent: bool = False
    log_x: bool = False
    log_y: bool = False
    caption: str = ""
    columns: tuple[str, str, str, str] = ("arm", "split", "x", "y")
    """What name, style, x and y are called in the rows: the header of the CSV file."""
    alt: str = ""

    def __post_init__(self) -> None:
        if not self.alt:
            object.__setattr__(self, "alt", self._described())

    def _described(self) -> str:
        last = "; ".join(
            f"{joined((line.name, line.style), ', ')} ends at "
            f"{interval_text(line.mean[-1], line.low[-1], line.high[-1], percent=self.percent)}"
            for line in self.lines[:12]
        )
        return f"Line chart of {self.y_label} against {self.x_label}. {last or 'It has no points'}."


@dataclass(frozen=True, slots=True)
class Point:
    """A labelled value with its interval, and a published value to hold it against; each may be missing."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class PointChart:
    """Labelled points with intervals, one below the other, beside reference marks where there are any."""

    points: tuple[Point, ...]
    title: str
    x_label: str
    percent: bool = False
    log_x: bool = False
    name: str = "measured"
    reference_name: str = "published"
    caption: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        if not self.alt:
            object.__setattr__(self, "alt", self._described())

    def _described(self) -> str:
        parts = [self._point_described(point) for point in self.points]
        return f"Chart of {self.x_label} with {counted(len(parts), 'point')}. {'; '.join(parts) or 'It is empty'}."

    def _point_described(self, point: Point) -> str:
        text = f"{point.label}: {interval_text(point.value, point.low, point.high, percent=self.percent)}"
        if point.reference is None:
            return text
        return f"{text}, {self.reference_name} {number(point.reference, percent=self.percent)}"


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Small images with captions in a grid.

    `images` is uint8 [N, height, width] or [N, height, width, 3]; `columns` is a wish that narrow screens overrule;
    `files` are the paths they were read from, or nothing.

    Raises:
        UsageError: the images have another shape or type, or there are not as many captions, or files if any.
    """

    images: np.ndarray
    captions: Sequence[str]
    title: str
    columns: int = 6
    caption: str = ""
    alt: str = ""
    files: Sequence[str] = ()

    def __post_init__(self) -> None:
        images = self.images
        grey, coloured = images.ndim == 3, images.ndim == 4 and images.shape[-1] == 3
        if images.dtype != np.uint8 or not (grey or coloured):
            raise UsageError(
                f"pictures are uint8 [N, height, width] or [N, height, width, 3]: got {images.dtype} {images.shape}"
            )
        if len(self.captions) != len(images):
            raise UsageError(f"{len(images)} pictures need as many captions: got {len(self.captions)}")
        if len(self.files) not in (0, len(images)):
            raise UsageError(f"{len(images)} pictures need as many files, or none: got {len(self.files)}")
        if not self.alt:
            object.__setattr__(self, "alt", f"{counted(len(images), 'picture')}: {'; '.join(self.captions)}.")


def most_confused(counts: np.ndarray, classes: Sequence[str], most: int) -> list[tuple[str, str, float]]:
    """The most frequent mistakes as (true class, class given, how often), the most frequent first.

    Args:
        counts: how often each true class (row) was taken for each class (column), [K, K].
        classes: their K names.
        most: how many at most.
    """
    mistakes = counts * (1 - np.eye(len(classes)))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    places = [divmod(int(place), len(classes)) for place in order]
    return [(classes[i], classes[j], float(mistakes[i, j])) for i, j in places if mistakes[i, j] > 0]


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionMatrix:
    """How often each true class (row) was taken for each class (column): counts [K, K], K from 1 to `MOST_CLASSES`.

    Raises:
        UsageError: the counts are not square or negative, K is out of range, or a class has no name.
    """

    counts: np.ndarray
    classes: Sequence[str]
    title: str
    caption: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        size = len(self.classes)
        if self.counts.shape != (size, size) or not 1 <= size <= MOST_CLASSES:
            raise UsageError(
                f"a confusion matrix needs counts [K, K] for K class names, K from 1 to {MOST_CLASSES}: "
                f"got {self.counts.shape} and {size} names"
            )
        if not np.isfinite(self.counts).all() or (self.counts < 0).any():
            raise UsageError("a confusion matrix needs counts of at least 0")
        if not self.alt:
            object.__setattr__(self, "alt", self._described())

    def most_confused(self, count: int = 3) -> list[tuple[str, str, float]]:
        """The most frequent mistakes; see the function of the same name."""
        return most_confused(self.counts, self.classes, count)

    def _described(self) -> str:
        total = float(self.counts.sum())
        share = number(float(np.trace(self.counts)) / total, percent=True) if total else "none"
        mistakes = "; ".join(f"{true} taken for {given} ({often:g})" for true, given, often in self.most_confused())
        return f"Confusion matrix of {len(self.classes)} classes, {share} right. Most frequent mistakes: {mistakes}."


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that stay folded until the reader opens them; on paper they are always open."""

    summary: str
    blocks: Sequence["Block"]


Figure = (
    LineChart
    | PointChart
    | Pictures
    | ConfusionMatrix
    | FieldChart
    | SurfaceChart
    | ScatterChart
    | HeatMaps
    | GraphChart
)
Block = Answer | Heading | Text | Bullets | Code | Facts | Table | Details | Figure


def block_title(block: Block) -> str | None:
    """A figure's title, a text's or facts' heading, a table's header in one line; None where a block has none."""
    if isinstance(block, Text | Facts):
        return block.heading
    if isinstance(block, Heading):
        return block.text
    if isinstance(block, Table):
        return ", ".join(block.header)
    return block.title if isinstance(block, Figure) else None
