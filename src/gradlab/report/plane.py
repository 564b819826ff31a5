"""What lies in a plane: named points, named paths, and a field that has a number everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.errors import UsageError
from gradlab.report.wording import number

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class PointSet:
    """Named points [N, 2] in the plane, x first; `colour` is the position of their colour.

    Raises:
        UsageError: the points have another shape or are not finite.
    """

    name: str
    points: np.ndarray
    colour: int = 0

    def __post_init__(self) -> None:
        _check_points(self.name, self.points)


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A named walk through the plane, [steps, 2], x first, drawn from its first point to its last.

    Raises:
        UsageError: it has another shape, no point, or one that is not finite.
    """

    name: str
    points: np.ndarray
    colour: int = 0

    def __post_init__(self) -> None:
        _check_points(self.name, self.points)
        if not len(self.points):
            raise UsageError(f"the path '{self.name}' has no point")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """A number for every point of a rectangle, known on a grid.

    `values[row, column]` belongs to the point whose x is the `column`-th and whose y is the `row`-th of evenly spaced
    values over `x` and `y`, both ends included: the first row is the lowest y. So `values = f(*np.meshgrid(xs, ys))`.

    Raises:
        UsageError: the grid is smaller than 2 x 2, a value is not finite, or a range is empty.
    """

    values: np.ndarray
    x: Range
    y: Range
    x_label: str = "x"
    y_label: str = "y"
    label: str = "value"

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or min(self.values.shape) < 2:
            raise UsageError(f"a field needs values [rows, columns], at least 2 x 2: got {self.values.shape}")
        if not np.isfinite(self.values).all():
            raise UsageError(f"the field '{self.label}' has values that are not finite: leave out where it has none")
        if not (self.x[0] < self.x[1] and self.y[0] < self.y[1]):
            raise UsageError(f"a field needs ranges from low to high: got x {self.x} and y {self.y}")

    def at(self, points: np.ndarray) -> np.ndarray:
        """The values [N] at points [N, 2], between grid points bilinear; not a number outside the rectangle."""
        spans = np.array([self.x, self.y], float)
        last = np.array(self.values.shape[::-1]) - 1
        places = (np.asarray(points, float) - spans[:, 0]) / (spans[:, 1] - spans[:, 0]) * last
        inside = ((places >= -1e-9) & (places <= last + 1e-9)).all(axis=1)
        low = np.clip(np.floor(places).astype(int), 0, last - 1)
        (i, j), (s, t) = low.T, np.clip(places - low, 0, 1).T
        v = self.values
        found = (1 - t) * ((1 - s) * v[j, i] + s * v[j, i + 1]) + t * ((1 - s) * v[j + 1, i] + s * v[j + 1, i + 1])
        return np.where(inside, found, np.nan)

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """The x of every column and the y of every row."""
        rows, columns = self.values.shape
        return np.linspace(self.x[0], self.x[1], columns), np.linspace(self.y[0], self.y[1], rows)

    def described(self) -> str:
        """What the field is, in words."""
        low, high = number(float(self.values.min())), number(float(self.values.max()))
        spans = f"{self.x_label} from {_span(self.x)} and {self.y_label} from {_span(self.y)}"
        return f"{self.label} over {spans}, between {low} and {high}"


def point_sets(points: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> tuple[PointSet, ...]:
    """Points [N, 2] as one set for each class that has any; the class index is the position of its colour."""
    return tuple(
        PointSet(name, points[labels == index], index) for index, name in enumerate(classes) if (labels == index).any()
    )


def _check_points(name: str, points: np.ndarray) -> None:
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise UsageError(f"'{name}' needs finite points [N, 2]: got {points.shape}")


def _span(ends: Range) -> str:
    return f"{number(ends[0])} to {number(ends[1])}"
