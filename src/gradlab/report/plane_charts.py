"""Blocks that show something over a plane: a field, a surface, a cloud of points, small matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.errors import UsageError
from gradlab.report.plane import Field, Path, PointSet, Range
from gradlab.report.wording import counted, number

MOST_POINTS = 10_000
"""More points than this make a drawing too large to send and tell no more."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldChart:
    """A field as a heat map, x along the horizontal axis and y upwards, with lines of equal height, points and paths.

    Args:
        field: what is shown.
        title: what the chart shows.
        middle: where given, values below it are blue, values above it orange, each stronger the further away, to the
            same reach on both sides; where None, larger values are stronger.
        log: colours by the logarithm; every value must be above 0.
        limits: the ends of the colour scale; those of the values where None.
        percent: values are fractions, shown in percent.
        contours: heights at which a line is drawn.
        points: drawn over the field.
        paths: drawn over the field; what leaves the rectangle is cut off.
        equal: one unit is as long on both axes.

    Raises:
        UsageError: a logarithm of values that are not all positive, or one around a middle.
    """

    field: Field
    title: str
    middle: float | None = None
    log: bool = False
    limits: Range | None = None
    percent: bool = False
    contours: Sequence[float] = ()
    points: Sequence[PointSet] = ()
    paths: Sequence[Path] = ()
    equal: bool = False
    caption: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        if self.log and (self.middle is not None or self.field.values.min() <= 0):
            raise UsageError("logarithmic colours need values above 0 and no middle")
        if not self.alt:
            object.__setattr__(self, "alt", _with_overlays(f"Heat map of {self.field.described()}", self))


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceChart:
    """A field as a surface seen from above and aside, with paths on it.

    Args:
        field: the height over the plane.
        title: what the chart shows.
        paths: drawn on the surface; dotted where the surface hides them, cut off outside the rectangle.
        azimuth: how far the eye stands around the vertical axis, in degrees: at 0 it looks along y, with x to the
            right; at 90 it looks along -x.
        elevation: how far the eye stands above the horizon, in degrees, in (0, 90).
        log: draws the logarithm of the height; every value must be above 0.

    Raises:
        UsageError: the elevation is out of range, or a logarithm of values that are not all positive.
    """

    field: Field
    title: str
    paths: Sequence[Path] = ()
    azimuth: float = -35.0
    elevation: float = 35.0
    log: bool = False
    caption: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.elevation < 90:
            raise UsageError(f"elevation must be above 0 and below 90 degrees: got {self.elevation:g}")
        if self.log and self.field.values.min() <= 0:
            raise UsageError("a logarithmic height needs values above 0")
        if not self.alt:
            object.__setattr__(self, "alt", _with_overlays(f"Surface of {self.field.described()}", self))

    @property
    def points(self) -> Sequence[PointSet]:
        """No points lie on a surface."""
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class ScatterChart:
    """Points in the plane, a colour for each set, and each set's name in the middle of its points where asked for.

    Raises:
        UsageError: there are more than 10,000 points.
    """

    points: Sequence[PointSet]
    title: str
    x_label: str = "x"
    y_label: str = "y"
    equal: bool = False
    named: bool = False
    caption: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        total = sum(len(group.points) for group in self.points)
        if total > MOST_POINTS:
            raise UsageError(f"a scatter chart shows at most {MOST_POINTS:,} points: got {total:,}; draw some of them")
        if not self.alt:
            sets = "; ".join(_set_described(group) for group in self.points) or "it is empty"
            object.__setattr__(self, "alt", f"Points of {self.y_label} against {self.x_label}: {sets}.")


@dataclass(frozen=True, slots=True, eq=False)
class HeatMaps:
    """A row of small matrices on one colour scale, such as attention maps: the first row of each at the top.

    Args:
        matrices: finite numbers [rows, columns], the same shape each, at most 64 x 64.
        names: one for each matrix.
        title: what the chart shows.
        row_labels: of the rows; none where empty.
        column_labels: of the columns; none where empty.
        row_name: what the rows are, such as "query".
        column_name: what the columns are, such as "key".
        label: what the numbers are.
        limits: the ends of the colour scale; those of the numbers where None.
        percent: the numbers are fractions, shown in percent.
        frames: for each matrix the row, column, height and width of a part that is framed; none where empty.

    Raises:
        UsageError: shapes, names, labels or frames do not fit together, or a number is not finite.
    """

    matrices: Sequence[np.ndarray]
    names: Sequence[str]
    title: str
    row_labels: Sequence[str] = ()
    column_labels: Sequence[str] = ()
    row_name: str = ""
    column_name: str = ""
    label: str = "value"
    limits: Range | None = None
    percent: bool = False
    frames: Sequence[tuple[int, int, int, int]] = ()
    caption: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        _check_matrices(self)
        if not self.alt:
            size = "" if not len(self.matrices) else " of {} x {}".format(*self.matrices[0].shape)
            object.__setattr__(
                self,
                "alt",
                f"{counted(len(self.matrices), 'heat map')}{size}, {self.label}: {', '.join(self.names)}.",
            )


def _check_matrices(maps: HeatMaps) -> None:
    shapes = {matrix.shape for matrix in maps.matrices}
    if len(maps.names) != len(maps.matrices):
        raise UsageError(f"{len(maps.matrices)} heat maps need as many names: got {len(maps.names)}")
    if len(shapes) > 1 or any(len(shape) != 2 or not 1 <= min(shape) <= max(shape) <= 64 for shape in shapes):
        raise UsageError(f"heat maps are matrices of one shape, at most 64 x 64: got {sorted(shapes)}")
    if maps.frames and len(maps.frames) != len(maps.matrices):
        raise UsageError(f"{len(maps.matrices)} heat maps need as many frames: got {len(maps.frames)}")
    for rows, columns in shapes:
        for row, column, height, width in maps.frames:
            if min(row, column) < 0 or min(height, width) < 1 or row + height > rows or column + width > columns:
                raise UsageError(f"a frame leaves its heat map of {rows} x {columns}: {(row, column, height, width)}")
        for labels, size in ((maps.row_labels, rows), (maps.column_labels, columns)):
            if labels and len(labels) != size:
                raise UsageError(f"{size} rows or columns need as many labels: got {len(labels)}")
    if not all(np.isfinite(matrix).all() for matrix in maps.matrices):
        raise UsageError(f"the heat maps of {maps.label} hold numbers that are not finite")


def _with_overlays(text: str, chart: FieldChart | SurfaceChart) -> str:
    parts = [text, *(_set_described(group) for group in chart.points), *(_path_described(path) for path in chart.paths)]
    return f"{'; '.join(parts)}."


def _set_described(group: PointSet) -> str:
    return f"{counted(len(group.points), 'point')} of {group.name}"


def _path_described(path: Path) -> str:
    ends = [f"({number(float(x))}, {number(float(y))})" for x, y in (path.points[0], path.points[-1])]
    return f"{path.name} goes from {ends[0]} to {ends[1]} in {counted(len(path.points) - 1, 'step')}"
