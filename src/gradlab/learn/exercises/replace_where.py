"""Replace numbers where a mask says so.

Write `replace_where(numbers, marks, mark, value)`: a copy of `numbers` in which every place where `marks` equals
`mark` holds `value`. Both tensors have the same shape. The tensor that was handed in stays as it is.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: tensor slicing, boolean results and assignment to a slice"
HINTS = (
    "A comparison such as `marks == mark` gives a tensor of truth values, which can stand between brackets.",
    "`result[marks == mark] = value` assigns to those places; but what is `result`, if the input may not change?",
    "`result = numbers.clone()`, then the assignment, then return `result`. `torch.where` does it in one line.",
)


def replace_where(numbers: Tensor, marks: Tensor, mark: int, value: float) -> Tensor:
    """Returns a copy of `numbers` with `value` wherever `marks` equals `mark`.

    Args:
        numbers: any numbers.
        marks: whole numbers of the same shape.
        mark: which places to replace.
        value: what to put there.
    """
    ### BEGIN SOLUTION
    result = numbers.clone()
    result[marks == mark] = value
    return result
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    shape = (draw.size(2, 4), draw.size(3, 5))
    numbers, marks = draw.normal(*shape), draw.labels(shape[0] * shape[1], 4).reshape(shape)
    marks[0, 0], numbers[0, 1], marks[0, 1], marks[1, 0] = 3, 3.0, 1, 0
    return {"numbers": numbers, "marks": marks, "mark": 3, "value": draw.choice((4.0, -2.5, 9.0))}


def _in_place(numbers: Tensor, marks: Tensor, mark: int, value: float) -> Tensor:
    numbers[marks == mark] = value
    return numbers


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the input is changed in place",
            "An assignment to a slice writes into the tensor that was handed in: work on `numbers.clone()`.",
            _in_place,
        ),
        Fault(
            "the mask is the wrong way round",
            "Replace where the marks equal the mark, keep the rest.",
            lambda n, m, k, v: torch.where(m == k, n, v),
        ),
        Fault(
            "the numbers are compared instead of the marks",
            "The mask comes from `marks`.",
            lambda n, m, k, v: torch.where(n == k, v, n),
        ),
        Fault(
            "the other places are set to 0",
            "Places without the mark keep their number.",
            lambda n, m, k, v: (m == k) * v,
        ),
        Fault(
            "the value is added instead of assigned",
            "The old number should be gone.",
            lambda n, m, k, v: n + (m == k) * v,
        ),
        Fault(
            "the places are multiplied by the value",
            "The old number should be gone.",
            lambda n, m, k, v: torch.where(m == k, n * v, n),
        ),
        Fault(
            "the mark is written instead of the value",
            "Which of the two numbers is looked for, and which is put there?",
            lambda n, m, k, v: torch.where(m == k, float(k), n),
        ),
        Fault(
            "every mark but 0 is replaced",
            "Only marks equal to `mark` count; a mark is no truth value.",
            lambda n, m, k, v: torch.where(m != 0, v, n),
        ),
        Fault(
            "only the first such place is replaced",
            "A mask between brackets assigns to all its places at once.",
            lambda n, m, k, v: n.flatten().index_fill(0, (m == k).flatten().nonzero()[:1, 0], v).view_as(n),
        ),
        Fault(
            "whole rows are replaced",
            "The mask has one truth value a place, not one a row.",
            lambda n, m, k, v: torch.where((m == k).any(1, keepdim=True), v, n),
        ),
    ),
)
