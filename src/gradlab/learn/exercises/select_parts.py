"""Parts of a matrix.

Write `select_parts(matrix)` for a matrix [rows, columns] with at least 3 rows and 2 columns. It returns three tensors:
its last column [rows]; the matrix without its first row and without its last column [rows - 1, columns - 1]; and
every second row, beginning with the first. Slices do it; no loop is needed.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: tensor slicing"
HINTS = (
    "Rows come first: `matrix[row, column]`. A colon stands for all, and -1 for the last.",
    "`1:` leaves out the first, `:-1` leaves out the last, `::2` takes every second.",
    "`matrix[:, -1]`, `matrix[1:, :-1]` and `matrix[::2]`.",
)


def select_parts(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the last column, the part without first row and last column, and every second row.

    Args:
        matrix: numbers [rows, columns].
    """
    ### BEGIN SOLUTION
    return matrix[:, -1], matrix[1:, :-1], matrix[::2]
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    return {"matrix": draw.normal(draw.size(3, 6), draw.size(4, 7))}


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the last row is taken instead of the last column",
            "The first index counts rows: `matrix[-1]` is a row, `matrix[:, -1]` a column.",
            lambda m: (m[-1], m[1:, :-1], m[::2]),
        ),
        Fault(
            "the last column keeps an axis",
            "The slice `-1:` keeps the axis of columns; the index `-1` takes it away.",
            lambda m: (m[:, -1:], m[1:, :-1], m[::2]),
        ),
        Fault(
            "the second last column is taken",
            "Negative numbers count from the end, and the last one is -1.",
            lambda m: (m[:, -2], m[1:, :-1], m[::2]),
        ),
        Fault(
            "rows and columns of the inner part are swapped",
            "Leave out the first row and the last column, not the last row and the first column.",
            lambda m: (m[:, -1], m[:-1, 1:], m[::2]),
        ),
        Fault(
            "the last column is still in the inner part",
            "An end of -1 leaves the last one out: `:-1`.",
            lambda m: (m[:, -1], m[1:], m[::2]),
        ),
        Fault(
            "the first row is still in the inner part",
            "Counting begins with 0, so that row 1 is the second: `1:`.",
            lambda m: (m[:, -1], m[:, :-1], m[::2]),
        ),
        Fault(
            "every second row begins with the second",
            "`::2` begins with row 0, `1::2` with row 1.",
            lambda m: (m[:, -1], m[1:, :-1], m[1::2]),
        ),
        Fault(
            "every second column is taken instead of every second row",
            "`m[::2]` steps over rows, `m[:, ::2]` over columns.",
            lambda m: (m[:, -1], m[1:, :-1], m[:, ::2]),
        ),
        Fault(
            "only the first two rows are taken",
            "`:2` ends before row 2; `::2` steps by 2.",
            lambda m: (m[:, -1], m[1:, :-1], m[:2]),
        ),
        Fault(
            "the rows are repeated instead of skipped",
            "Each second row should come once.",
            lambda m: (m[:, -1], m[1:, :-1], torch.repeat_interleave(m, 2, 0)),
        ),
    ),
)
