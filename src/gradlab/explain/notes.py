"""Sentences about what is easily missed: copies, views, cuts, tensors used twice, and which of them keep a `.grad`."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gradlab.explain.derivatives import Derivative
from gradlab.explain.graph import Graph
from gradlab.explain.names import Names
from gradlab.explain.tape import call_of
from gradlab.explain.values import shape_text

VIEWS = (
    "View", "ReshapeAlias", "Squeeze", "Unsqueeze", "T", "Transpose", "Permute", "Expand", "Select", "Slice", "Split",
    "Unbind", "Diagonal", "Alias", "AsStrided",
)  # fmt: skip
"""Operations whose output shares the memory of their input."""


def whole_notes(output: Tensor, name: str, *, given: bool) -> list[str]:
    """On what the backward pass starts with, and on the graph of a gradient."""
    if given:
        return []
    if output.numel() == 1:
        return [f"The backward pass starts with ∂{name}/∂{name} = 1."]
    return [
        f"{name} has the shape {shape_text(output.shape)}: backward() needs a vector v of that shape for vᵀJ. Here it "
        "is all ones, as if the sum were the output."
    ]


def step_notes(
    graph: Graph, place: int, names: Names, derivative: Derivative | None, arriving: Sequence[Tensor | None]
) -> list[str]:
    """What is to be known about one operation."""
    node = graph.nodes[place]
    notes = [] if derivative else _unknown(node)
    users = graph.users(place)
    outputs = len(node._input_metadata)
    for output in range(outputs):
        using = [user for user, position in users if _output(graph, user, position) == output]
        if len(using) > 1:
            steps = " and ".join(dict.fromkeys(f"#{user + 1}" for user in using))
            notes.append(f"It is used {len(using)} times, by {steps}: what they send is added up to g.")
    if outputs > 1:
        unused = [str(output) for output in range(outputs) if arriving[output] is None]
        if unused and len(unused) < outputs:
            notes.append(f"It has {outputs} outputs; nothing arrives at {', '.join(unused)}, which counts as zeros.")
    if any(node.name() == f"{name}Backward{end}" for name in VIEWS for end in "012"):
        notes.append("A view: it shares its input's memory, and no number is computed.")
    return notes + _notes_of_call(node, names)


def grad_note(name: str, tensor: Tensor, *, root: bool) -> str:
    """Whether a computed tensor keeps its gradient, and why not."""
    if tensor.retains_grad:
        return f"{name} is no leaf, but {name}.retain_grad() was called: {name}.grad keeps g."
    what = "the output" if root else "no leaf but computed"
    return f"{name} is {what}: {name}.grad stays None unless {name}.retain_grad() is called before backward()."


def leaf_notes(leaf: Tensor, arrivals: int) -> list[str]:
    """What is to be known about a leaf."""
    notes = []
    if arrivals > 1:
        notes.append(f"It is used {arrivals} times: what arrives from each is added up.")
    if leaf.grad is not None:
        notes.append("Its .grad is not empty: backward() adds to it, so zero it first (optimizer.zero_grad()).")
    return notes


def _unknown(node: Any) -> list[str]:
    if node.name().endswith("CopySlices"):
        return ["Part of a tensor was overwritten in place; the table has no formula for this step."]
    return [f"The table has no formula for {node.name()}: the numbers are torch's own, and nothing is claimed."]


def _output(graph: Graph, user: int, position: int) -> int:
    edge = graph.edges[user][position]
    return -1 if edge is None else edge.output


def _notes_of_call(node: Any, names: Names) -> list[str]:
    call = call_of(node)
    if call is None:
        return []
    notes = []
    if call.name.endswith("_") and not call.name.endswith("__"):
        notes.append(f"In place: {call.name} overwrote its first input, and raised that tensor's version by one.")
    cut = [operand for operand in call.operands if operand.cut]
    return notes + [f"{names.word(operand)} was cut off by {operand.cut}: nothing flows back to it." for operand in cut]
