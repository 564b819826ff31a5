"""What an explanation consists of: steps, what flows from each to its inputs, and the leaves where it ends."""

from dataclasses import dataclass

from gradlab.explain.jacobian import Jacobian
from gradlab.explain.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What one step sends to one of its inputs.

    Args:
        name: of the input in the formulas, such as "a"; "" for an unknown operation.
        target: the number of the step or leaf that receives it.
        output: which of that step's outputs it is for.
        told: the input in words, such as "x" or "#3".
        local: the local derivative; "" where it is unknown.
        vjp: the vector-Jacobian product; "" where it is unknown.
        gradient: what torch sends; None where no backward pass could run, or nothing is sent.
        summed: the shape that the gradient was summed from, after broadcasting; "" where it was not.
        difference: between the formula's result and torch's, relative to the largest number (or to 1); None where one
            is missing.
        jacobian: on request, for small steps.
    """

    name: str
    target: int
    output: int
    told: str
    local: str = ""
    vjp: str = ""
    gradient: Value | None = None
    summed: str = ""
    difference: float | None = None
    jacobian: Jacobian | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation of the graph.

    Args:
        number: its place in the backward pass, from 1.
        node: torch's name for it, such as "MulBackward0".
        variable: what its first output is called in the code; "" where no name is known.
        code: the call that made it, such as "a * b"; "" where nobody watched.
        line: of that call.
        operation: y in terms of the inputs; "" where the operation is unknown.
        outputs: its values; None where they are not known any more.
        arriving: the gradient for each output; None where nothing arrives.
        flows: to the inputs that want a gradient.
        notes: what else is to be known about this step, a sentence each.
    """

    number: int
    node: str
    variable: str
    code: str
    line: int | None
    operation: str
    outputs: tuple[Value | None, ...]
    arriving: tuple[Value | None, ...]
    flows: tuple[Flow, ...]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """The step in a few words, such as "b = a ** 2"."""
        shown = self.code or self.operation or f"unknown operation {self.node}"
        return f"{self.variable} = {shown}" if self.variable else shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Where gradients end: a tensor that was not computed.

    Args:
        number: after those of all steps.
        name: of the variable or parameter.
        value: its numbers.
        gradient: what a backward pass adds to its `.grad`; None where nothing arrives.
        held: what its `.grad` holds already; None where it is empty.
        senders: the steps that send to it, once for each input that it is.
        notes: what else is to be known about it, a sentence each.
    """

    number: int
    name: str
    value: Value
    gradient: Value | None
    held: Value | None
    senders: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A computation told step by step, from its output back.

    Args:
        name: of the output.
        output: its value.
        gradient: what the backward pass starts with.
        steps: in the order of the backward pass.
        leaves: in the order in which they were first used.
        notes: on the whole.
        fault: why no backward pass can run; "" where it can.
    """

    name: str
    output: Value
    gradient: Value
    steps: tuple[Step, ...]
    leaves: tuple[Leaf, ...]
    notes: tuple[str, ...]
    fault: str = ""

    def __str__(self) -> str:
        """The explanation as text."""
        from gradlab.explain.telling import told

        return told(self)
