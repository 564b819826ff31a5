"""The whole Jacobian of a small step, and the proof that what the step sends back is vᵀJ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradlab.explain.derivatives import Derivative
from gradlab.explain.derivatives.stated import input_shapes, stated_gradients
from gradlab.explain.tape import call_of

LARGEST = 4096
"""Jacobians of more numbers are not made."""
STEP = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Jacobian:
    """∂y/∂x of one step with both flattened, [numbers of y, numbers of x].

    Args:
        matrix: from the table's formula, or from torch's own step where the table has none.
        product_error: the largest difference of vᵀJ to what torch's backward pass sent, v being what arrived.
        difference_error: the largest difference to central differences of the operation itself; None where the call
            was not watched, cannot be repeated, or made more than this step.
    """

    matrix: Tensor
    product_error: float
    difference_error: float | None


def jacobians(
    node: Any, derivative: Derivative | None, arriving: Sequence[Tensor | None], sent: Sequence[Tensor | None]
) -> list[Jacobian | None]:
    """The Jacobian of a step's first output by each of its inputs; None where none is wanted, or it is too large.

    Args:
        node: the step.
        derivative: the table's entry for it.
        arriving: the gradients that arrived; only that of the first output may be there.
        sent: what torch's backward pass sent on.
    """
    shapes = input_shapes(node)
    first = arriving[0]
    if first is None or any(gradient is not None for gradient in arriving[1:]):
        return [None] * len(shapes)
    largest = max((shape.numel() for shape in shapes if shape is not None), default=0)
    if first.numel() * largest > LARGEST:
        return [None] * len(shapes)
    rows = [_sent(node, derivative, unit, len(arriving)) for unit in _units(first)]
    repeated = _by_differences(node, first)
    found: list[Jacobian | None] = []
    for position, shape in enumerate(shapes):
        gradient = sent[position]
        columns = [row[position] for row in rows]
        if shape is None or gradient is None or any(column is None for column in columns):
            found.append(None)
            continue
        matrix = torch.stack([column.flatten() for column in columns if column is not None]).double()
        product = first.flatten().double() @ matrix
        measured = repeated[position]
        error = None if measured is None else _largest(measured - matrix)
        found.append(Jacobian(matrix, _largest(product - gradient.flatten().double()), error))
    return found


def _units(like: Tensor) -> list[Tensor]:
    """Gradients with a single 1, one for each output number."""
    return [row.reshape(like.shape) for row in torch.eye(like.numel(), dtype=like.dtype)]


def _sent(node: Any, derivative: Derivative | None, unit: Tensor, outputs: int) -> list[Tensor | None]:
    gradients = [unit, *[None] * (outputs - 1)]
    if derivative is not None:
        return stated_gradients(derivative, node, gradients)
    try:
        sent = node(*gradients)
    except (TypeError, RuntimeError):  # a function written in Python cannot be called by itself
        return [None] * len(node.next_functions)
    sent = sent if isinstance(sent, tuple) else (sent,)
    return [
        None if shape is None or gradient is None else gradient.detach().sum_to_size(shape)
        for gradient, shape in zip(sent, input_shapes(node), strict=True)
    ]


def _by_differences(node: Any, like: Tensor) -> list[Tensor | None]:
    """Central differences of the watched call in double precision, for each input of the step."""
    call, edges = call_of(node), node.next_functions
    places = _matching(node)
    if call is None or call.replay is None or places is None:
        return [None] * len(edges)
    tensors = [tensor.double() if tensor.is_floating_point() else tensor for tensor in call.tensors]

    def output(*changed: Tensor) -> Tensor:
        made = call.replay(*(tensor.clone() for tensor in changed))  # type: ignore[misc]
        return (made if isinstance(made, Tensor) else made[0]).detach()

    with torch.no_grad():
        try:
            again = output(*tensors)
        except (RuntimeError, TypeError):
            return [None] * len(edges)
        known = call.values.get(0)
        if again.shape != like.shape or known is None or not torch.allclose(again, known.double(), 1e-4, 1e-5):
            return [None] * len(edges)  # a random function, or a call of several steps
        return [None if place is None else _columns(output, tensors, place) for place in places]


def _columns(output: Any, tensors: Sequence[Tensor], place: int) -> Tensor:
    columns = []
    for entry in range(tensors[place].numel()):
        sides = []
        for step in (STEP, -STEP):
            moved = tensors[place].clone()
            moved.view(-1)[entry] += step
            sides.append(output(*tensors[:place], moved, *tensors[place + 1 :]).flatten())
        columns.append((sides[0] - sides[1]) / (2 * STEP))
    return torch.stack(columns, 1)


def _matching(node: Any) -> list[int | None] | None:
    """For each input of a step the tensor of the watched call that it is; None where the two do not match."""
    call = call_of(node)
    if call is None:
        return None
    given = [operand for operand in call.operands if operand.node or operand.leaf is not None or operand.outside]
    if len(given) != len(call.tensors):
        return None
    free = list(range(len(given)))
    places: list[int | None] = []
    for before, number in node.next_functions:
        if before is None:
            places.append(None)
            continue
        leaf = getattr(before, "variable", None)
        match = next(
            (
                place
                for place in free
                if (leaf is not None and given[place].leaf is leaf)
                or (leaf is None and given[place].node is before and given[place].output == number)
            ),
            None,
        )
        if match is None:
            return None
        free.remove(match)
        places.append(match)
    return places


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max()) if difference.numel() else 0.0
