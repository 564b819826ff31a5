"""What a derivative of the table is: a formula as text, and the function that computes what the text says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


class Saved:
    """What one step of the backward pass has at hand: `saved.self` is the tensor that torch kept under that name.

    Args:
        node: the step, a `grad_fn`.
        gradients: what arrives, one for each output of the operation; None where nothing arrives.
        shapes: of the operation's inputs; None where no gradient is wanted.
        position: the input whose gradient is asked for.
    """

    def __init__(
        self, node: Any, gradients: Sequence[Tensor | None], shapes: Sequence[Any] = (), position: int = 0
    ) -> None:
        self.node, self.gradients, self.shapes, self.position = node, gradients, shapes, position

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, f"_saved_{name}")

    @property
    def g(self) -> Tensor:
        """The gradient that arrives at the first output; zeros where nothing arrives there."""
        if self.gradients[0] is not None:
            return self.gradients[0]
        other = next(gradient for gradient in self.gradients if gradient is not None)
        return other.new_zeros(tuple(self.node._input_metadata[0].shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the input whose gradient is asked for."""
        return tuple(self.shapes[self.position])

    @property
    def axis(self) -> int:
        """`dim` with its sign: torch keeps -1 as the largest unsigned number."""
        return signed(self.dim)

    @property
    def axes(self) -> list[int]:
        """The axes that are reduced, from 0: all where `dim` is empty."""
        dims = self.dim
        places = len(self.shape)
        if dims is None or (not isinstance(dims, int) and len(dims) == 0):
            return list(range(places))
        return sorted(signed(dim) % max(places, 1) for dim in ([dims] if isinstance(dims, int) else dims))


@dataclass(frozen=True, slots=True)
class Input:
    """What flows back to one input of an operation.

    Args:
        name: of the input in the formulas.
        local: the local derivative, such as "∂y/∂a = b".
        vjp: the vector-Jacobian product as a formula in the arriving gradient g, such as "g · b".
        compute: the same product as a function.
        kept: the name under which torch keeps this input, "" where it does not.
    """

    name: str
    local: str
    vjp: str
    compute: Callable[[Saved], Tensor]
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Derivative:
    """One operation: y in terms of its inputs, and what flows back to each.

    Args:
        node: the name of its step in torch's graph, such as "MulBackward0".
        operation: such as "a · b".
        inputs: in the order of the graph's edges; the last one stands for all further edges, as in `torch.cat`.
        elementwise: whether each output number depends on one number of each input, so that the Jacobian is diagonal.
        applies: whether the formulas hold for a step of this name.
    """

    node: str
    operation: str
    inputs: tuple[Input, ...]
    elementwise: bool = False
    applies: Callable[[Saved], bool] = lambda _saved: True

    def at(self, position: int) -> Input:
        """What flows back along the edge at this position."""
        return self.inputs[min(position, len(self.inputs) - 1)]


def unary(node: str, operation: str, slope_text: str, slope: Callable[[Saved], Any], **more: Any) -> Derivative:
    """A function of each number by itself: the gradient is multiplied by the slope there."""
    alone = " " not in slope_text or (slope_text.startswith("[") and slope_text.count("[") == 1)
    text = slope_text if alone else f"({slope_text})"
    product = {"1": "g", "−1": "−g", "0": "0"}.get(slope_text, f"g · {text}")
    entry = Input("x", f"∂y/∂x = {slope_text}", product, lambda saved: saved.g * slope(saved), "self")
    return Derivative(f"{node}Backward0" if "Backward" not in node else node, operation, (entry,), True, **more)


def moved(node: str, operation: str, told: str, back: Callable[[Saved], Tensor]) -> Derivative:
    """An operation that only moves, repeats or drops numbers; its Jacobian holds zeros and ones."""
    entry = Input("x", f"∂yᵢ/∂xⱼ = [yᵢ is xⱼ], {told}", f"g {told}", back)
    return Derivative(node, operation, (entry,))


def signed(number: int) -> int:
    """A number with its sign, where torch shows it as an unsigned one of 64 bits."""
    return number - 2**64 if number >= 2**63 else number
