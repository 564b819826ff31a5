"""What the table's formulas give at one step, to be held against what torch gives."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gradlab.explain.derivatives.derivative import Derivative, Saved


def input_shapes(node: Any) -> list[torch.Size | None]:
    """The shape of each input of a step; None for inputs that want no gradient."""
    return [
        None if before is None else torch.Size(before._input_metadata[output].shape)
        for before, output in node.next_functions
    ]


def stated_gradients(derivative: Derivative, node: Any, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
    """The vector-Jacobian product of a step by the table's formulas, one for each input that wants a gradient.

    Where an input was broadcast, its gradient is summed over the copies.

    Args:
        derivative: the table's entry for the step.
        node: the step, a `grad_fn` whose saved tensors are still there.
        gradients: what arrives, one for each output; at least one is no None.
    """
    shapes = input_shapes(node)
    found: list[Tensor | None] = []
    with torch.no_grad():
        for position, shape in enumerate(shapes):
            if shape is None:
                found.append(None)
                continue
            product = derivative.at(position).compute(Saved(node, gradients, shapes, position))
            dtype = node.next_functions[position][0]._input_metadata[node.next_functions[position][1]].dtype
            found.append(product.sum_to_size(shape).to(dtype))
    return found
